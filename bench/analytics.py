"""How fast events are counted: preloaded jobs of events, one workerd, PostgreSQL beside it. Not a
ratio to what PostgreSQL could do but a figure to reach, and checked against a plain recount."""

import os
import pathlib
import statistics
import time

from holding import wait, workerd
from rows import row

QUICK = {"jobs": 20, "events": 50, "single": 500}
FULL = {"jobs": 1000, "events": 500, "single": 50000}
KEY_BYTES = 32
LEAST_PER_SECOND = 50000
# Looking starts a process, which takes the processor from what is measured.
PAUSE_SECONDS = 0.2
# Five types, five tenants, 20 venues, 50,000 customers, within ten minutes; some 190 bytes each.
EVENT = (
    "jsonb_build_object('type', (ARRAY['ticket-purchase', 'page-view', 'ticket-scan', "
    "'cart-update', 'page-view'])[1 + n % 5], 'id', md5({number}::text), "
    "'at', (extract(epoch FROM now()) * 1000)::bigint - n * 7919 % 600000, "
    "'customer', 'customer-' || n * 7919 % 50000, 'venue', 'venue-' || n % 20, "
    "'channel', (ARRAY['organic', 'email', 'social', 'direct'])[1 + n % 4]) || "
    "CASE WHEN n % 5 = 0 THEN jsonb_build_object('amount', 4500, 'currency', 'EUR', 'order', "
    "'order-' || {number}) ELSE '{{}}' END"
)
TENANT = "('00000000-0000-0000-0000-00000000000' || {} % 5)::uuid"


def serve(bench, database):
    key = bench.cluster.dir / "customer-key"
    if not key.exists():
        key.write_text("k" * KEY_BYTES)
        os.chmod(key, 0o400)
    return workerd(
        bench, database, concurrency=4000,
        more="kinds: {analytics.batch: {queue: default, concurrency: 200}, "
        "analytics.event: {queue: default, concurrency: 4000}}\n",
        processors=f"debug: true, analytics: {{customer_key_file: {key}}}",
    )


def processor_seconds(pids):
    """Of living processes, all threads. Says more than the clock where others work as well."""
    ticks = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def recorded(sql, database):
    time.sleep(PAUSE_SECONDS)
    return int(sql("SELECT count(*) FROM queue.attempt", database)[0][0])


def take_in(bench, enqueue, jobs, events):
    """Events per second from the start of the process until the last job is recorded."""
    database = bench.database()
    sql = bench.cluster.sql
    try:
        bench.measure("preload", database, jobs=0)
        with serve(bench, database):
            sql("SELECT queue.pause_schedule(name) FROM queue.schedules", database)
        sql(enqueue, database)
        sql("VACUUM ANALYZE queue.job", database)
        sql("CHECKPOINT", database)
        begin = time.monotonic()
        with serve(bench, database) as daemon:
            wait(lambda: recorded(sql, database) == jobs, daemon)
            took = time.monotonic() - begin
            mine = processor_seconds([daemon.process.pid])
            backends = sql(
                "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'libqueue%'",
                database,
            )
            server = processor_seconds(pid for (pid,) in backends)
        counted = sql(
            "SELECT minutes, sum(events) FROM analytics.bucket GROUP BY minutes ORDER BY 1",
            database,
        )
        differences = sql(
            "SELECT count(*) FROM generate_series(current_date - 1, current_date + 1, '1 day') d, "
            "analytics.check_buckets(d::date)", database,
        )
    finally:
        bench.cluster.drop(database)
    bench.samples.append({"jobs": jobs, "events": events, "seconds": took,
                          "workerd_us": mine / events * 1e6, "server_us": server / events * 1e6})
    exact = counted == [[str(size), str(events)] for size in (1, 5, 60, 1440)]
    if not exact or differences != [["0"]]:
        raise RuntimeError(f"not equal to a recount: {counted}, {differences} differences")
    return events / took


def analytics(bench):
    size = QUICK if bench.options.quick else FULL
    jobs, each = size["jobs"], size["events"]
    batches = (
        "SELECT count(queue.enqueue('analytics.batch', jsonb_build_object('events', (SELECT "
        f"jsonb_agg({EVENT.format(number=f'(job * {each} + n)')}) FROM generate_series(0, {each} "
        f"- 1) n)), tenant_id => {TENANT.format('job')})) FROM generate_series(1, {jobs}) job"
    )
    taken = statistics.median(
        take_in(bench, batches, jobs, jobs * each) for _ in range(bench.pairs(3))
    )
    yield row(
        f"events taken in, jobs of {each}, buckets equal to a recount", taken, None, "events/s",
        None, f">= {LEAST_PER_SECOND:,}", taken >= LEAST_PER_SECOND,
    )
    alone = (
        f"SELECT count(queue.enqueue('analytics.event', {EVENT.format(number='n')}, tenant_id => "
        f"{TENANT.format('n')})) FROM generate_series(1, {size['single']}) n"
    )
    taken = statistics.median(
        take_in(bench, alone, size["single"], size["single"]) for _ in range(bench.pairs(3))
    )
    yield row(
        "events taken in, one per job, buckets equal to a recount", taken, None, "events/s", None,
        "", None,
    )


ALL = {"analytics": analytics}
