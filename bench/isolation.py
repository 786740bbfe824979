"""Tenants that reach for what is each other's: as the test does, as often as is required."""

import os
import re
import subprocess
import time

from rows import row

QUICK_TRIES = 100
FULL_TRIES = 100000
MOST_SECONDS = 7200


def tried(bench, program, variable, through, what):
    """What got through of the tries of a test of ours; `through`: how its report begins a line."""
    tries = bench.options.size or (QUICK_TRIES if bench.options.quick else FULL_TRIES)
    begin = time.monotonic()
    done = subprocess.run(
        [bench.programs / program], capture_output=True, text=True, check=False,
        timeout=MOST_SECONDS,
        env=os.environ | {
            variable: str(tries), "LIBQUEUE_ISOLATION_THREADS": str(os.cpu_count()),
        },
    )
    took = time.monotonic() - begin
    count = len(re.findall(through, done.stdout))
    if f" {tries} tries" not in done.stdout or (done.returncode != 0 and count == 0):
        raise RuntimeError(f"{program}: {(done.stdout + done.stderr)[-2000:]}")
    bench.samples.append({"tries": tries, "seconds": took, "through": count})
    what = what.format(tries=tries, pooled=tries // 10)
    yield row(f"of {what}, got through", count, None, "", None, "= 0", count == 0)


def isolation(bench):
    yield from tried(
        bench, "test_tenancy_isolation", "LIBQUEUE_ISOLATION_TRIES", r"tenant \d+ of \d+: ",
        "{tries} reads and writes of others' and {pooled} behind a pooler, 64 tenants",
    )


def crossed_api(bench):
    """The same through the API of a workerd, in every role."""
    yield from tried(
        bench, "test_crossed_api", "LIBQUEUE_CROSSED_TRIES", r"\d+ of \d+: ",
        "{tries} requests of 64 tenants for others' by HTTP",
    )


ALL = {"isolation": isolation, "crossed_api": crossed_api}
