"""Tenants that reach for what is each other's: as the test does, as often as is required."""

import os
import re
import subprocess
import time

from rows import row

QUICK_TRIES = 100
FULL_TRIES = 100000
MOST_SECONDS = 7200


def isolation(bench):
    tries = bench.options.size or (QUICK_TRIES if bench.options.quick else FULL_TRIES)
    begin = time.monotonic()
    done = subprocess.run(
        [bench.programs / "test_tenancy_isolation"], capture_output=True, text=True, check=False,
        timeout=MOST_SECONDS,
        env=os.environ | {
            "LIBQUEUE_ISOLATION_TRIES": str(tries),
            "LIBQUEUE_ISOLATION_THREADS": str(os.cpu_count()),
        },
    )
    took = time.monotonic() - begin
    through = len(re.findall(r"tenant \d+ of \d+: ", done.stdout))
    if f" {tries} tries" not in done.stdout or (done.returncode != 0 and through == 0):
        raise RuntimeError(f"test_tenancy_isolation: {(done.stdout + done.stderr)[-2000:]}")
    bench.samples.append({"tries": tries, "seconds": took, "through": through})
    yield row(
        f"of {tries} reads and writes of others' and {tries // 10} behind a pooler, 64 tenants, "
        "got through", through, None, "", None, "= 0", through == 0,
    )


def crossed_api(bench):
    """The same through the API of a workerd, in every role."""
    tries = bench.options.size or (QUICK_TRIES if bench.options.quick else FULL_TRIES)
    begin = time.monotonic()
    done = subprocess.run(
        [bench.programs / "test_crossed_api"], capture_output=True, text=True, check=False,
        timeout=MOST_SECONDS,
        env=os.environ | {
            "LIBQUEUE_CROSSED_TRIES": str(tries),
            "LIBQUEUE_ISOLATION_THREADS": str(os.cpu_count()),
        },
    )
    took = time.monotonic() - begin
    through = len(re.findall(r"\d+ of \d+: ", done.stdout))
    if f" {tries} tries" not in done.stdout or (done.returncode != 0 and through == 0):
        raise RuntimeError(f"test_crossed_api: {(done.stdout + done.stderr)[-2000:]}")
    bench.samples.append({"tries": tries, "seconds": took, "through": through})
    yield row(
        f"of {tries} requests of 64 tenants for others' by HTTP, got through", through, None, "",
        None, "= 0", through == 0,
    )


ALL = {"isolation": isolation, "crossed_api": crossed_api}
