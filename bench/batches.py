"""What a large batch costs the work beside it, and that it counts to the item while its processes
are killed. Not ratios to PostgreSQL's limit but to the same jobs without a batch."""

import time

from holding import LOOK_SECONDS, wait, workerd
from rows import at_least, row

QUICK = {"items": 20000, "plain": 3000, "beside": 6000, "every": 0.5, "kills": 3}
FULL = {"items": 1000000, "plain": 100000, "beside": 400000, "every": 3, "kills": 20}
CALL = 10000
WAIT_SECONDS = 1800


def serve(bench, database):
    return workerd(bench, database, concurrency=500, also=", other: {concurrency: 500}")


def sizes(bench):
    return QUICK if bench.options.quick else FULL


def enqueue(bench, database, kind, jobs, more=""):
    for first in range(0, jobs, CALL):
        bench.cluster.sql(
            f"SELECT count(*) FROM queue.enqueue_many('{kind}', array_fill('{{}}'::jsonb, "
            f"ARRAY[{min(CALL, jobs - first)}]){more})", database,
        )


def drain_beside(bench, arguments):
    """Plain jobs per second while the other queue's jobs run in the same process."""
    database = bench.database()
    try:
        bench.measure("preload", database, jobs=0)
        bench.cluster.sql("SELECT queue.create_queue('other')", database)
        bench.cluster.sql("SELECT queue.create_batch()", database)
        enqueue(bench, database, "debug.noop", sizes(bench)["beside"], arguments)
        enqueue(bench, database, "debug.noop", sizes(bench)["plain"])
        left = (
            "SELECT NOT EXISTS (SELECT FROM queue.ready r JOIN queue.line l ON l.id = r.line_id "
            "JOIN queue.queue q ON q.id = l.queue_id WHERE q.name = '{}')"
        )
        with serve(bench, database) as daemon:
            begin = time.monotonic()
            wait(lambda: bench.cluster.sql(left.format("default"), database) == [["t"]], daemon)
            took = time.monotonic() - begin
            beside = bench.cluster.sql(left.format("other"), database) == [["f"]]
            daemon.process.kill()
    finally:
        bench.cluster.drop(database)
    bench.samples.append({"beside": arguments, "seconds": took, "to_the_end": beside})
    return sizes(bench)["plain"] / took


def other_work(bench):
    alone, batch = [], []
    for _ in range(bench.pairs(3)):
        alone.append(drain_beside(bench, ", queue => 'other'"))
        batch.append(drain_beside(bench, ", queue => 'other', batch_id => 1"))
    yield at_least(
        "drain of other jobs beside a batch, against beside as many jobs of none", batch, alone,
        "jobs/s", 0.9,
    )


def counts(bench, database):
    return bench.cluster.sql(
        "SELECT state, total, succeeded, failed, cancelled, finished_at IS NOT NULL "
        "FROM queue.batches", database,
    )[0]


def through_kills(bench):
    """98 % complete, 1 % die, 1 % are cancelled; now and then one of two processes is killed."""
    items = sizes(bench)["items"]
    hundredth = items // 100
    database = bench.database()
    kills = 0
    try:
        bench.measure("preload", database, jobs=0)
        bench.cluster.sql("SELECT queue.create_queue('other')", database)
        bench.cluster.sql(
            "SELECT queue.create_batch(on_failure => 'debug.noop', on_finish => 'debug.noop')",
            database,
        )
        enqueue(bench, database, "debug.noop", items - 2 * hundredth, ", batch_id => 1")
        enqueue(bench, database, "debug.fail", hundredth, ", batch_id => 1, max_attempts => 1")
        bench.cluster.sql(
            "SELECT count(queue.cancel(id)) FROM queue.enqueue_many('debug.noop', "
            f"array_fill('{{}}'::jsonb, ARRAY[{hundredth}]), delay => '1 hour', batch_id => 1) id",
            database,
        )
        bench.cluster.sql("SELECT queue.seal_batch(1)", database)
        running = [serve(bench, database).__enter__() for _ in range(2)]
        begin = time.monotonic()
        killed_at = begin
        while counts(bench, database)[5] != "t":
            if time.monotonic() > begin + WAIT_SECONDS:
                raise RuntimeError(f"not ended: {counts(bench, database)}")
            # A process that is to rescue others' jobs must live for some heartbeats.
            if (kills < sizes(bench)["kills"]
                    and time.monotonic() > killed_at + sizes(bench)["every"]):
                killed_at = time.monotonic()
                place = kills % len(running)
                running[place].process.kill()
                running[place].process.wait()
                running[place] = serve(bench, database)
                kills += 1
            time.sleep(LOOK_SECONDS)
        took = time.monotonic() - begin
        found = counts(bench, database)
        callbacks = bench.cluster.sql(
            "SELECT count(*) FROM queue.job WHERE meta ? 'callback_of'", database
        )[0][0]
        lost = bench.cluster.sql(
            "SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'", database
        )[0][0]
        for daemon in running:
            daemon.process.kill()
            daemon.process.wait()
    finally:
        bench.cluster.drop(database)
    bench.samples.append(
        {"items": items, "kills": kills, "lost": lost, "seconds": took, "counts": found}
    )
    expected = ["PARTIAL_SUCCESS", items, items - 2 * hundredth, hundredth, hundredth, "t"]
    exact = [str(each) for each in expected] == [str(each) for each in found]
    wrong = sum(abs(int(a) - int(b)) for a, b in zip(found[1:5], expected[1:5]))
    yield row(
        f"items of a batch of {items} miscounted through {kills} kills", wrong, None, "", None,
        "= 0, callbacks once", exact and callbacks == "2",
    )


def batches(bench):
    yield from through_kills(bench)
    yield from other_work(bench)


ALL = {"batches": batches}
