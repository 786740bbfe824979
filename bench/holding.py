"""What workerd holds to when things are not as usual: limits in use, memory, a dead process, an
absent database. Not ratios to PostgreSQL's limit but to itself, or absolute."""

import pathlib
import re
import signal
import subprocess
import time

from rows import at_least, row

QUICK = {"jobs": 3000, "waiting": 500, "large": 5000, "away": 2, "idle": 2}
FULL = {"jobs": 300000, "waiting": 20000, "large": 1000000, "away": 60, "idle": 60}
WAIT_SECONDS = 300
LOOK_SECONDS = 0.02
IDLE_SECONDS = 5
SECTIONS = "log: {level: info}\nhttp: {listen: 127.0.0.1:0}\n"
LIMITED = "limits: {provider: {burst: 10, rate: 20/s}}\nkinds: {debug.echo: {limit: provider}}\n"


class workerd:
    """One process and what it uses."""

    def __init__(
        self, bench, database, more="", concurrency=1000, also="", processors="debug: true",
        sections=SECTIONS,
    ):
        """`also`: of the section queues, as `, other: {concurrency: 10}`."""
        self.log = bench.cluster.dir / f"{database}.log"
        config = bench.cluster.dir / f"{database}.yaml"
        config.write_text(
            f'database: {{dsn: "{bench.cluster.dsn(database)}", connections: 2}}\n'
            f"queues: {{default: {{concurrency: {concurrency}}}{also}}}\n"
            f"processors: {{{processors}}}\n{sections}{more}"
        )
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [bench.programs / "workerd", "--config", config], stdout=log, stderr=log
            )

    def __enter__(self):
        wait(lambda: "worker_ready" in self.log.read_text(errors="replace"), self)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def memory(self, field="VmRSS"):
        """MiB; VmHWM is the most so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE).group(1)) / 1024

    def address(self):
        """Where it listens, as 127.0.0.1:4711."""
        said = re.search(r'"http_listening".*?"address":"([^"]+)"', self.log.read_text())
        return said.group(1)

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError("workerd ended by itself:\n" + self.log.read_text())


def wait(ready, daemon, look=LOOK_SECONDS, most=WAIT_SECONDS):
    until = time.monotonic() + most
    while not ready():
        daemon.check()
        if time.monotonic() > until:
            raise RuntimeError(f"not done after {most} s:\n" + daemon.log.read_text()[-2000:])
        time.sleep(look)


def sizes(bench):
    return QUICK if bench.options.quick else FULL


def limits(bench):
    """The same drain with and without jobs that wait under a limit in the same queue."""
    jobs, waiting = sizes(bench)["jobs"], sizes(bench)["waiting"]
    plain, beside = [], []
    for _ in range(bench.pairs(5)):
        for rates, others, more in ((plain, 0, ""), (beside, waiting, LIMITED)):
            enqueue = (
                "SELECT count(*) FROM queue.enqueue_many('debug.echo', "
                f"array_fill('{{}}'::jsonb, ARRAY[{others}]))"
            )
            run = bench.preloaded_drain(
                "others_wait", jobs=jobs, beside=[enqueue], more=more,
                workerd=bench.programs / "workerd",
            )
            rates.append(run["per_second"])
    yield at_least(
        "drain, workerd, with 20 k other jobs waiting under a limit, against none", beside, plain,
        "jobs/s", 0.95,
    )


def enqueue_large(bench, database, jobs):
    most = 10000
    for first in range(0, jobs, most):
        bench.cluster.sql(
            "SELECT count(*) FROM queue.enqueue_many('debug.noop', (SELECT array_agg("
            "jsonb_build_object('n', g, 'text', repeat('x', 1000))) "
            f"FROM generate_series({first + 1}, {min(first + most, jobs)}) g))", database,
        )


def memory(bench):
    jobs = sizes(bench)["large"]
    database = bench.database()
    try:
        bench.measure("preload", database, jobs=0)
        with workerd(bench, database) as daemon:
            time.sleep(IDLE_SECONDS)
            idle = daemon.memory()
        enqueue_large(bench, database, jobs)
        done = "SELECT count(*) >= {} FROM queue.attempt"
        with workerd(bench, database) as daemon:
            wait(lambda: bench.cluster.sql(done.format(jobs // 4), database) == [["t"]], daemon)
            quarter = daemon.memory("VmHWM")
            wait(lambda: bench.cluster.sql(done.format(jobs), database) == [["t"]], daemon)
            most = daemon.memory("VmHWM")
    finally:
        bench.cluster.drop(database)
    bench.samples.append({"idle": idle, "quarter": quarter, "most": most})
    yield row("memory of workerd, idle", idle, None, "MiB", None, "<= 64 MiB", idle <= 64)
    yield row(
        "memory of workerd, most while draining 1 M jobs of 1 KB", most, None, "MiB", None,
        "<= 256 MiB", most <= 256,
    )
    yield row(
        "the same against the most of its first quarter", most, quarter, "MiB", most / quarter,
        "<= 1.1 x", most <= 1.1 * quarter,
    )


def rescue(bench):
    """From the end of a process to its jobs being back in line. Killed, its session tells of it;
    stopped, as with a host that lost its power, only its silence does: lease 10 s, the default."""
    lost = "SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'lost'"
    both = "SELECT count(DISTINCT worker_id) = 2 FROM queue.lease"
    sleep = "array_fill('{\"ms\": 60000}'::jsonb, ARRAY[20])"
    for how, ending in (("killed", signal.SIGKILL), ("silent", signal.SIGSTOP)):
        taken = []
        for _ in range(bench.pairs(3)):
            database = bench.database()
            try:
                bench.measure("preload", database, jobs=0)
                with workerd(bench, database, concurrency=10) as other, \
                        workerd(bench, database, concurrency=10) as victim:
                    bench.cluster.sql(
                        f"SELECT count(*) FROM queue.enqueue_many('debug.sleep', {sleep})",
                        database,
                    )
                    wait(lambda: bench.cluster.sql(both, database) == [["t"]], other)
                    victim.process.send_signal(ending)
                    begin = time.monotonic()
                    wait(lambda: bench.cluster.sql(lost, database) == [["t"]], other)
                    taken.append(time.monotonic() - begin)
                    victim.process.kill()
                    other.process.kill()  # its jobs would keep it for a minute
            finally:
                bench.cluster.drop(database)
        bench.samples.append({"how": how, "rescue_seconds": taken})
        yield row(
            f"jobs of a {how} process are back in line after", max(taken), None, "s", None,
            "<= 11 s", max(taken) <= 11,
        )


def absence(bench):
    """The database goes away and comes back; workerd drains again."""
    away = sizes(bench)["away"]
    database = bench.database()
    try:
        bench.measure("preload", database, jobs=0)
        with workerd(bench, database) as daemon:
            bench.cluster.sql(
                "SELECT count(*) FROM queue.enqueue_many('debug.sleep', "
                "array_fill('{\"ms\": 1}'::jsonb, ARRAY[1000]), delay => '1 second')", database,
            )
            bench.cluster.crash()
            time.sleep(away)
            bench.cluster.start()
            begin = time.monotonic()
            some = "SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'completed'"
            wait(lambda: bench.cluster.sql(some, database) == [["t"]], daemon)
            took = time.monotonic() - begin
    finally:
        bench.cluster.drop(database)
    bench.samples.append({"absence_seconds": took})
    yield row(
        f"draining again after {away} s without database", took, None, "s", None, "<= 5 s",
        took <= 5,
    )


def idle(bench):
    """Statements of one process with nothing to do, as the server logs them."""
    seconds = sizes(bench)["idle"]
    database = bench.database()
    try:
        bench.measure("preload", database, jobs=1)  # a line to look at
        bench.cluster.sql(f"ALTER DATABASE {database} SET log_statement = 'all'")
        with workerd(bench, database):
            time.sleep(seconds)  # whoever has just started still looks around
            before = bench.cluster.statements(database)
            time.sleep(seconds)
            said = (bench.cluster.statements(database) - before) * 60 / seconds
    finally:
        bench.cluster.drop(database)
    yield row(
        "statements of an idle workerd in a minute", said, None, "", None, "<= 60", said <= 60
    )


ALL = {"limits": limits, "memory": memory, "rescue": rescue, "absence": absence, "idle": idle}
