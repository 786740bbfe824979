"""What jobs that only wait cost those that run: not ratios to PostgreSQL's limit but to itself."""

from rows import at_least

QUICK = {"jobs": 3000, "delayed": 10000, "keyed": 1000}
FULL = {"jobs": 300000, "delayed": 1000000, "keyed": 50000}
CHUNK = 100000


def sizes(bench):
    return QUICK if bench.options.quick else FULL


def compare(bench, *sides, pairs=5, **values):
    """Rates of drains by workerd, a list for each side, in turns."""
    rates = [[] for _ in sides]
    for _ in range(bench.pairs(pairs)):
        for rate, side in zip(rates, sides):
            given = {"workerd": bench.programs / "workerd"} | values | side
            run = bench.preloaded_drain("others_wait", jobs=sizes(bench)["jobs"], **given)
            rate.append(run["per_second"])
    return rates


def delayed(bench):
    """Jobs of the same kind that are due tomorrow."""
    wanted = sizes(bench)["delayed"]
    chunk = min(CHUNK, wanted)
    enqueue = (
        "SELECT count(*) FROM queue.enqueue_many('debug.noop', "
        f"array_fill('{{}}'::jsonb, ARRAY[{chunk}]), delay => '1 day')"
    )
    plain, beside = compare(bench, {}, {"beside": [enqueue] * (wanted // chunk)}, pairs=3)
    yield at_least(
        "drain, workerd, with 1 M delayed jobs waiting, against none", beside, plain, "jobs/s", 0.9
    )


def keyed(bench):
    """Jobs that wait for a key, in the same queue; nobody handles the one that holds it."""
    holder = "SELECT queue.enqueue('bench.unhandled', '{}', ordering_key => 'one')"
    waiting = (
        "SELECT count(*) FROM queue.enqueue_many('debug.echo', "
        f"array_fill('{{}}'::jsonb, ARRAY[{sizes(bench)['keyed']}]), "
        "ordering_key => 'one', delay => '1 millisecond')"
    )
    plain, beside = compare(bench, {}, {"beside": [holder, waiting]})
    yield at_least(
        "drain, workerd, with 50 k jobs waiting for a key, against none", beside, plain, "jobs/s",
        0.9,
    )


def before(bench):
    """The programs of another build, named by --before."""
    old = bench.options.before
    if old is None:
        return
    now, then = compare(bench, {}, {"programs": old, "workerd": old / "workerd"})
    yield at_least("drain, workerd, against the build before", now, then, "jobs/s", 0.95)


ALL = {"delayed": delayed, "keyed": keyed, "before": before}
