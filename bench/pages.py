"""What operators look at, on a database as it is after a year: each page's time, as the server
takes it. Not ratios but absolute: a list is to take less than 200 ms at its 95th percentile."""

import pathlib
import re
import statistics

import year
from rows import row

QUICK_ROUNDS = 3
FULL_ROUNDS = 40
LIST_MS = 200
ROOT = pathlib.Path(__file__).resolve().parent.parent

DEAD = '{"field": "state", "any": [{"eq": "dead"}]}'


def states(*names):
    return '{"field": "state", "any": [' + ", ".join(f'{{"eq": "{n}"}}' for n in names) + "]}"


# name of the page -> statement of sql/queries, arguments
PAGES = {
    "jobs": ("find_jobs", "'[]', NULL, 50"),
    "ready": ("find_jobs", f"'[{states('ready')}]', NULL, 50"),
    "waiting of a queue": (
        "find_jobs",
        f"'[{states('ready', 'scheduled', 'retrying')}, "
        """{"field": "queue", "any": [{"eq": "q7"}]}]', NULL, 50""",
    ),
    "dead and retrying": ("find_jobs", f"'[{states('dead', 'retrying')}]', NULL, 50"),
    "completed": ("find_jobs", f"'[{states('completed')}]', NULL, 50"),
    "completed of a kind": (
        "find_jobs",
        f"'[{states('completed')}, "
        """{"field": "kind", "any": [{"like": "email.%"}]}]', NULL, 50""",
    ),
    "tag": ("find_jobs", """'[{"field": "tag", "any": [{"eq": "vip"}]}]', NULL, 50"""),
    "payload": (
        "find_jobs",
        """'[{"field": "args", "path": ["user", "id"], "any": [{"eq": "4242"}]}]', NULL, 50""",
    ),
    "text nowhere": (
        "find_jobs", """'[{"field": "text", "any": [{"part": "nowhere"}]}]', NULL, 50""",
    ),
    "dead letters": ("find_dead_letters", f"'[{DEAD}]', NULL, 50"),
    "dead letters by error": (
        "find_dead_letters",
        f"""'[{DEAD}, {{"field": "error", "any": [{{"part": "HOST C"}}]}}]', NULL, 50""",
    ),
    "failure groups": ("list_failure_groups", "'[]', now() - interval '1 day', 24, 100"),
    "one job": ("show_job", "4242"),
    "why it waits": ("explain_job_further", "10500000"),
    "lineage": ("job_lineage", "4242"),
    "count": ("count_jobs", f"'[{states('ready')}]', 10000"),
    "overview": ("show_overview", ""),
    "database": ("show_database", ""),
    "operation counted": (
        "count_operation", """'replay', '[{"field": "queue", "any": [{"eq": "q9"}]}]'""",
    ),
}


def times(bench, database, statement, arguments, rounds):
    text = (ROOT / "sql" / "queries" / f"{statement}.sql").read_text()
    execute = f"EXECUTE page({arguments});\n" if arguments else "EXECUTE page;\n"
    said = year.psql(bench, database, f"PREPARE page AS {text};\n\\timing on\n" + execute * rounds)
    return [float(ms) for ms in re.findall(r"^Time: ([0-9.]+) ms", said, re.MULTILINE)]


def pages(bench):
    rounds = QUICK_ROUNDS if bench.options.quick else FULL_ROUNDS
    with year.database(bench) as database:
        for name, (statement, arguments) in PAGES.items():
            if name == "why it waits":
                arguments = str(year.finished(bench) + year.waiting(bench) // 2)
            took = sorted(times(bench, database, statement, arguments, rounds))
            p95 = year.percentile95(took)
            bench.samples.append({"page": name, "ms": took})
            yield row(
                f"{name}: p95 (p50 {statistics.median(took):.0f} ms)", p95, None, "ms", None,
                f"< {LIST_MS} ms", p95 < LIST_MS,
            )


ALL = {"pages": pages}
