"""The figures: what is measured against what, and what it must reach."""

import json
import pathlib
import re
import statistics
import subprocess

import analytics
import batches
import bulk
import holding
import isolation
import pages
import screens
import waiting
from rows import at_least, row

QUICK = {"jobs": 3000, "window": 1000, "seconds": 2, "backlog": 20000, "take": 2000}
FULL = {"jobs": 300000, "window": 50000, "seconds": 150, "backlog": 2000000, "take": 50000}
CLAIM_LIMIT_MS = 50
LOGGED_FROM_MS = 20
PAYLOAD_NUMBER = 4711
COMMAND_SECONDS = 1800


def payload(number):
    text = f'{{"to": "buyer@example.com", "order": {number}, '
    text += '"template": "purchase_confirmation", "ref": "'
    return text.ljust(108, "x") + '"}'


class measurer:
    def __init__(self, cluster, programs, options):
        self.cluster = cluster
        self.programs = programs
        self.options = options
        self.size = QUICK if options.quick else FULL
        self.seconds = options.seconds or self.size["seconds"]
        self.samples = []
        self.databases = 0
        self.to_come = []  # the figures after this one
        self.year = None  # year.py's

    def pairs(self, default):
        if self.options.quick:
            return 1
        return self.options.pairs or default

    def database(self, template=None):
        self.databases += 1
        name = f"bench_{self.databases}"
        self.cluster.create(name, template)
        return name

    def measure(self, command, database, *flags, programs=None, **values):
        arguments = [str((programs or self.programs) / "libqueue_bench"), command]
        arguments += ["--dsn", self.cluster.dsn(database)]
        arguments += [f"--{flag}" for flag in flags]
        for name, value in values.items():
            arguments += [f"--{name}", str(value)]
        done = subprocess.run(
            arguments, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command} {flags} {values}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        # Where it was measured is nobody's business, nor the same tomorrow.
        called = {name: pathlib.PurePath(str(value)).name for name, value in values.items()}
        self.samples.append({"command": command, "flags": flags, "values": called, **result})
        if self.options.verbose:
            shown = {name: value for name, value in result.items() if name != "by_second"}
            print(f"    {command} {' '.join(flags)} {called}: {shown}", flush=True)
        return result

    def once(self, command, *flags, **values):
        """In a database of its own."""
        database = self.database()
        try:
            return self.measure(command, database, *flags, **values)
        finally:
            self.cluster.drop(database)

    def preloaded_drain(
        self, *flags, preload=(), beside=(), more="", programs=None, **values
    ):
        """`beside`: statements that put other jobs in line; `more`: of workerd's configuration;
        `programs`: another build's."""
        database = self.database()
        try:
            filled = self.measure(
                "preload", database, *preload, programs=programs, jobs=values["jobs"]
            )
            for statement in beside:
                self.cluster.sql(statement, database)
            if "workerd" in values:
                values["config"] = self.workerd_config(database, more)
            run = self.measure(
                "drain", database, *flags, programs=programs, window=self.size["window"], **values
            )
            return run | {"preload_wal_bytes": filled["wal_bytes"]}
        finally:
            self.cluster.drop(database)

    def workerd_config(self, database, more):
        path = self.cluster.dir / f"{database}.yaml"
        path.write_text(
            f'database: {{dsn: "{self.cluster.dsn(database)}", connections: 2}}\n'
            "queues: {default: {concurrency: 1000}}\n"
            "processors: {debug: true}\n"
            "log: {level: warn}\n" + more
        )
        return path

    def pgbench(self, database, script, seconds):
        path = self.cluster.dir / "script.sql"
        path.write_text(script)
        done = subprocess.run(
            self.cluster.tool("pgbench", "-n", "-M", "prepared", "-c", "8", "-j", "2")
            + ["-T", str(seconds), "-f", str(path), database],
            capture_output=True, text=True, check=False,
        )
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        if done.returncode != 0 or not found:
            raise RuntimeError(f"pgbench: {done.stdout}{done.stderr}")
        self.samples.append({"command": "pgbench", "script": script, "tps": float(found.group(1))})
        if self.options.verbose:
            print(f"    pgbench {script.split()[0]}: {found.group(1)}", flush=True)
        return float(found.group(1))


def drain(bench):
    jobs = bench.size["jobs"]
    workerd = bench.programs / "workerd"
    ours, daemon, limit = [], [], []
    for _ in range(bench.pairs(5)):
        ours.append(bench.preloaded_drain(jobs=jobs)["per_second"])
        limit.append(bench.once("bare_drain", jobs=jobs)["per_second"])
        if workerd.exists():
            run = bench.preloaded_drain(jobs=jobs, workerd=workerd)
            daemon.append(run["per_second"])
    yield at_least("drain, libqueue::worker", ours, limit, "jobs/s", 0.5)
    if daemon:
        yield at_least("drain, workerd", daemon, limit, "jobs/s", 0.5)


def snapshot(bench):
    runs = [
        bench.preloaded_drain("snapshot", jobs=bench.size["jobs"]) for _ in range(bench.pairs(3))
    ]
    last = [run["last_per_second"] for run in runs]
    first = [run["first_per_second"] for run in runs]
    yield at_least("drain, snapshot held: last 50 k against first", last, first, "jobs/s", 0.9)


def sustained(bench):
    free, held, claims = [], [], []
    for _ in range(bench.pairs(1)):
        for runs, flags in ((free, []), (held, ["snapshot"])):
            database = bench.database()
            try:
                bench.cluster.sql(
                    f"ALTER DATABASE {database} "
                    f"SET log_min_duration_statement = {LOGGED_FROM_MS}"
                )
                runs.append(bench.measure("sustained", database, *flags, seconds=bench.seconds))
                claims += bench.cluster.slow_claims(database)
                bench.samples.append({"claims_ms": sorted(claims)[-100:], "from": LOGGED_FROM_MS})
            finally:
                bench.cluster.drop(database)
    yield at_least(
        f"sustained {bench.seconds} s: snapshot held against not",
        [run["per_second"] for run in held], [run["per_second"] for run in free], "jobs/s", 0.9,
    )
    for name, runs in (("not held", free), ("held", held)):
        yield at_least(
            f"sustained, snapshot {name}: last 15 s against first",
            [run["last_per_second"] for run in runs], [run["first_per_second"] for run in runs],
            "jobs/s", 0.8,
        )
    longest = max(claims, default=LOGGED_FROM_MS)
    yield row(
        "sustained: longest claim", longest, None, "ms" if claims else "ms or less", None,
        f"<= {CLAIM_LIMIT_MS} ms", longest <= CLAIM_LIMIT_MS,
    )


def backlog(bench):
    """Both tables are copies of filled databases, so both start from the same caches."""
    take, many = bench.size["take"], bench.size["backlog"]
    deep, small = bench.database(), bench.database()
    deep_rates, small_rates = [], []
    try:
        bench.measure("preload", deep, jobs=many, priorities=5)
        bench.measure("preload", small, jobs=take, priorities=5)
        for _ in range(bench.pairs(5)):
            for rates, template, jobs in ((deep_rates, deep, many), (small_rates, small, take)):
                database = bench.database(template)
                run = bench.measure("drain", database, "until_taken", jobs=jobs, take=take)
                rates.append(run["per_second"])
                bench.cluster.drop(database)
    finally:
        bench.cluster.drop(deep)
        bench.cluster.drop(small)
    yield at_least(
        "first 50 k of 2 M, five priorities, against 50 k of 50 k", deep_rates, small_rates,
        "jobs/s", 0.9,
    )


def enqueue_one(bench):
    seconds = 1 if bench.options.quick else 10
    text = payload(PAYLOAD_NUMBER)
    ours, limit = [], []
    database = bench.database()
    try:
        bench.measure("preload", database, jobs=1000)
        bench.cluster.sql(
            "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "payload jsonb NOT NULL)", database,
        )
        for _ in range(bench.pairs(5)):
            for rates, script in (
                (ours, f"SELECT queue.enqueue('debug.noop', '{text}');\n"),
                (limit, f"INSERT INTO bare (payload) VALUES ('{text}');\n"),
            ):
                bench.cluster.sql("CHECKPOINT", database)
                rates.append(bench.pgbench(database, script, seconds))
    finally:
        bench.cluster.drop(database)
    yield at_least("enqueue, one per commit, 8 clients", ours, limit, "jobs/s", 0.5)


def enqueue_many(bench):
    jobs = bench.size["jobs"]
    rates = {"sql": [], "client": [], "copy": [], "copy_batches": []}
    for _ in range(bench.pairs(5)):
        for how, found in rates.items():
            found.append(bench.once("enqueue", jobs=jobs, how=how)["per_second"])
    copy = rates["copy"]
    yield at_least("enqueue_many, SQL, against one COPY", rates["sql"], copy, "jobs/s", 0.4)
    yield at_least(
        "enqueue_many, C++ client, against one COPY", rates["client"], copy, "jobs/s", 0.4
    )
    again = at_least(
        "(COPY in thousands, against one COPY)", rates["copy_batches"], copy, "jobs/s", 0
    )
    yield again | {"required": "", "ok": None}


def pickup(bench):
    seconds = 2 if bench.options.quick else 30
    for spacing in ("steady", "poisson"):
        ours, limit = [], []
        for _ in range(bench.pairs(1)):
            values = {"rate": 50, "seconds": seconds, "spacing": spacing}
            ours.append(bench.once("pickup", **values))
            limit.append(bench.once("bare_pickup", **values))
        for name, most in (("p50", 1), ("p99", 3)):
            mine = statistics.median(run[f"{name}_ms"] for run in ours)
            bare = statistics.median(run[f"{name}_ms"] for run in limit)
            yield row(
                f"pickup, {spacing} 50 jobs/s, {name}", mine, bare, "ms", None, f"<= {most} ms",
                mine <= most,
            )


def wal(bench):
    jobs = bench.size["jobs"]
    ours, limit = [], []
    for _ in range(bench.pairs(1)):
        run = bench.preloaded_drain(preload=["raw"], jobs=jobs)
        ours.append((run["preload_wal_bytes"] + run["wal_bytes"]) / jobs)
        limit.append(bench.once("bare_drain", "raw", jobs=jobs)["wal_bytes"] / jobs)
    mine = statistics.median(ours)
    yield row(
        "WAL, enqueue_many and run", mine, statistics.median(limit), "B/job", None, "<= 1000 B",
        mine <= 1000,
    )


ALL = {
    "drain": drain,
    "snapshot": snapshot,
    "sustained": sustained,
    "backlog": backlog,
    "enqueue_one": enqueue_one,
    "enqueue_many": enqueue_many,
    "pickup": pickup,
    "wal": wal,
} | holding.ALL | waiting.ALL | batches.ALL | analytics.ALL | pages.ALL
# With what --quick leaves out: the tests have a browser, bulk operations and tenants of their own.
EVERY = ALL | screens.ALL | bulk.ALL | isolation.ALL
