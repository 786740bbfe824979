"""What a bulk operation costs those that enqueue and run beside it: how long after its enqueue a
job is claimed, while nothing else goes on and while one acts on many jobs of another queue."""

import contextlib
import statistics
import subprocess
import time

from holding import wait, workerd
from rows import row
from year import run_script

QUICK = {"jobs": 2000, "rate": 100, "seconds": 2, "warm": 0.5}
FULL = {"jobs": 200000, "rate": 200, "seconds": 20, "warm": 5}
MOST_RATIO = 1.5
MOST_SECONDS = 3600
ACTIONS = ("replay", "cancel")


def sizes(bench):
    size = QUICK if bench.options.quick else FULL
    return size | ({"jobs": bench.options.size} if bench.options.size else {})


@contextlib.contextmanager
def steady(bench, database):
    """Enqueues one job per commit at the rate until it is left."""
    script = bench.cluster.dir / "steady.sql"
    script.write_text("SELECT queue.enqueue('debug.noop', '{}');\n")
    process = subprocess.Popen(
        bench.cluster.tool("pgbench", "-n", "-M", "prepared", "-c", "4", "-j", "1")
        + ["-R", str(sizes(bench)["rate"]), "-T", "36000", "-f", str(script), database],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        yield process
        if process.poll() is not None:
            raise RuntimeError("pgbench ended by itself")
    finally:
        process.terminate()
        process.wait()


def clock(bench, database):
    return bench.cluster.sql("SELECT clock_timestamp()", database)[0][0]


def latencies(bench, database, what, begin, end):
    """p99 in ms of the jobs enqueued then."""
    p50, p99, most, started, jobs = bench.cluster.sql(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms), "
        "percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), max(ms), "
        "percentile_disc(0.99) WITHIN GROUP (ORDER BY started_ms), count(*) "
        "FROM bench_latency "
        f"WHERE created_at >= '{begin}' AND created_at < '{end}'", database,
    )[0]
    if int(jobs) < sizes(bench)["rate"]:
        raise RuntimeError(f"{what}: {jobs} jobs from {begin} to {end} are no measurement")
    found = {
        "beside": what, "jobs": int(jobs), "p50_ms": float(p50), "p99_ms": float(p99),
        "most_ms": float(most), "recorded_start_p99_ms": float(started),
    }
    bench.samples.append(found)
    if bench.options.verbose:
        print(f"    {found}", flush=True)
    return found["p99_ms"]


def alone(bench, database):
    bench.cluster.sql("VACUUM", database)
    bench.cluster.sql("CHECKPOINT", database)
    time.sleep(sizes(bench)["warm"])
    begin = clock(bench, database)
    time.sleep(sizes(bench)["seconds"])
    return begin, clock(bench, database)


def operate(bench, database, daemon, action, place):
    """When it acted. As fast as it goes when nobody says how fast."""
    filter = f'[{{"field": "queue", "any": [{{"eq": "bulk{place}"}}]}}]'
    number = bench.cluster.sql(
        f"SELECT queue.create_operation('{action}', '{filter}', 'queue:bulk{place}', "
        "undo => '0 seconds')", database,
    )[0][0]
    ended = f"SELECT finished_at IS NOT NULL FROM queue.operations WHERE id = {number}"
    wait(lambda: bench.cluster.sql(ended, database) == [["t"]], daemon, look=0.5, most=MOST_SECONDS)
    state, done, begin, end, seconds = bench.cluster.sql(
        "SELECT state, done, started_at, finished_at, extract(epoch FROM finished_at - started_at) "
        f"FROM queue.operations WHERE id = {number}", database,
    )[0]
    jobs = sizes(bench)["jobs"]
    if (state, int(done)) != ("completed", jobs):
        raise RuntimeError(f"{action}: expected {jobs} jobs, got {done} and {state}")
    bench.samples.append({"operation": action, "jobs": jobs, "seconds": float(seconds)})
    return begin, end


def bulk(bench):
    pairs, jobs = bench.pairs(2), sizes(bench)["jobs"]
    plain = {action: [] for action in ACTIONS}
    beside = {action: [] for action in ACTIONS}
    database = bench.database()
    try:
        bench.measure("preload", database, jobs=0)
        run_script(bench, database, "bulk.sql", pairs=pairs, jobs=jobs)
        with workerd(bench, database, concurrency=100) as daemon, steady(bench, database):
            windows = []
            for place in range(1, pairs + 1):
                for action in ACTIONS:
                    windows.append((plain[action], "nothing", *alone(bench, database)))
                    acted = operate(bench, database, daemon, action, place)
                    windows.append((beside[action], action, *acted))
        # Every job of the windows has been claimed when the last one has been waited for.
        for found, what, begin, end in windows:
            found.append(latencies(bench, database, what, begin, end))
    finally:
        bench.cluster.drop(database)
    for action in ACTIONS:
        ratio = statistics.median(a / b for a, b in zip(beside[action], plain[action]))
        yield row(
            f"claim p99, {sizes(bench)['rate']} jobs/s, beside a {action} of {jobs}, "
            "against alone", statistics.median(beside[action]), statistics.median(plain[action]),
            "ms", ratio, f"<= {MOST_RATIO} x", ratio <= MOST_RATIO,
        )


ALL = {"bulk": bulk}
