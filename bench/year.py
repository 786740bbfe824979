"""A database as it is after a year, pages.sql. Filling it takes minutes, so the figures of one run
that look at it share one."""

import contextlib
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent
QUICK_JOBS = 20000
FULL_JOBS = 10000000
# To each job in line this many that have ended.
ENDED_EACH = 10
USERS = ("pages", "screens")


def finished(bench):
    return bench.options.size or (QUICK_JOBS if bench.options.quick else FULL_JOBS)


def waiting(bench):
    return finished(bench) // ENDED_EACH


def psql(bench, database, script, **variables):
    given = [text for name, value in variables.items() for text in ("-v", f"{name}={value}")]
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *given, "-d",
         bench.cluster.dsn(database)],
        input=script, capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def run_script(bench, database, name, **variables):
    return psql(bench, database, (FOLDER / name).read_text(), **variables)


@contextlib.contextmanager
def database(bench):
    """Its name. It goes when no figure to come wants it."""
    if bench.year is None:
        made = bench.database()
        try:
            bench.measure("preload", made, jobs=0)
            run_script(
                bench, made, "pages.sql", finished=finished(bench), waiting=waiting(bench)
            )
        except BaseException:
            bench.cluster.drop(made)
            raise
        bench.year = made
    try:
        yield bench.year
    finally:
        if not set(USERS) & set(bench.to_come):
            bench.cluster.drop(bench.year)
            bench.year = None


def percentile95(times):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
