"""Banned words and calls, each with the failure it prevents."""

import re


class ban:
    def __init__(self, pattern, why, where=(), unless=(), strings=False, flags=0):
        self.pattern = re.compile(pattern, flags)
        self.why = why
        self.where = where  # path prefixes; empty: everywhere
        self.unless = unless
        self.strings = strings  # look into string literals too

    def concerns(self, path):
        return (not self.where or path.startswith(self.where)) and not path.startswith(self.unless)


# workerd's private development server and the test kit's databases are made with DDL that no
# prepared statement can carry.
SQL_OUTSIDE = ("tests/", "bench/", "examples/", "workerd/daemon/dev/", "libqueue/src/testing/")
CPP_BANS = [
    ban(r"\bdetached\b", "a detached task outlives its owner and swallows errors; use task_group"),
    ban(
        r"\bco_spawn\b",
        "coroutines start in task_group only: named, logged, joined at stop",
        # workerd has a group of its own for its HTTP server; run.hpp is the tests'.
        unless=(
            "libqueue/src/engine/task_group.",
            "workerd/daemon/net/tasks.",
            "tests/support/run.hpp",
            "examples/",
        ),
    ),
    ban(
        r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(|\bnanosleep\b|::sleep\s*\(",
        "a nap makes a test flaky and slow; await an event or use test::wait_until",
        where=("tests/",),
        unless=("tests/support/wait_until.cpp",),
    ),
    ban(
        r"\bsleep_for\b|\bsleep_until\b",
        "a nap on the loop thread stops every job of the process; use a timer",
        where=("libqueue/", "processors/"),
        # All block a caller's own thread, and say so.
        unless=(
            "libqueue/src/pg/failpoint.cpp",
            "libqueue/src/pg/migrator.cpp",
            "libqueue/src/api/client.cpp",
            "libqueue/src/api/limits.cpp",
            "libqueue/src/testing/server.cpp",
        ),
    ),
    ban(
        r'"\s*(SELECT\b|INSERT INTO\b|UPDATE \w|DELETE FROM\b|WITH \w+ AS\b|CREATE \w|ALTER \w'
        r"|DROP \w|TRUNCATE \w|COPY \w)",
        "SQL lives in sql/queries, one statement per file",
        # It reads a dump of the schema, by the words its statements begin with.
        unless=(*SQL_OUTSIDE, "libqueue/src/store/schema_drift.cpp"),
        strings=True,
    ),
    ban(r"\busing\s+namespace\s+std\s*;", "names of std collide with ours"),
    ban(r"\bthread_local\b", "coroutines change threads; hand the state over"),
    ban(r"(?<![\w:])assert\s*\(", "vanishes in release builds; use LIBQUEUE_ASSERT"),
    ban(r"\bconst_cast\b", "says that an interface is wrong; change the interface"),
    ban(
        r"co_await[^;{}]*[(,]\s*\{",
        "gcc 12 destroys an aggregate temporary beside co_await twice; name it first",
    ),
    ban(
        r"co_await[^;{}]*\[[^\[\]]+\]\s*(\([^)]*\)\s*)?(mutable\s*)?(->\s*[\w:<>]+\s*)?\{",
        "gcc 12 destroys a capturing lambda beside co_await twice; name it first",
    ),
]
HEADER_BANS = [ban(r"\busing\s+namespace\b", "a header must not open namespaces for its readers")]
# Code only: documents may speak of such things.
CODE_BANS = [
    ban(
        r"\b(todo|fixme|xxx|stub|placeholder|not implemented)\b",
        "unfinished work belongs to the issue tracker",
        flags=re.IGNORECASE,
        unless=("tests/tidy/",),
    )
]
# `catch (...)` hides what it caught. Where a foreign handler or a thread's end needs one, it is
# counted here, so that one more is a decision.
CATCH_ALL = re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)")
CATCH_ALL_MOST = 12


def find(file, bans, text):
    for rule in bans:
        if rule.concerns(file.path):
            for match in rule.pattern.finditer(text):
                shown = " ".join(match.group(0).split())[:40]
                yield file, text.count("\n", 0, match.start()) + 1, f"`{shown}`: {rule.why}"


def check(files):
    catch_all = []
    for file in files:
        if file.is_code:
            yield from find(file, CODE_BANS, file.text)
        if not file.is_cpp:
            continue
        code = file.code()
        yield from find(file, [rule for rule in CPP_BANS if not rule.strings], code)
        yield from find(file, [rule for rule in CPP_BANS if rule.strings], file.code(True))
        if file.suffix == ".hpp":
            yield from find(file, HEADER_BANS, code)
            first = next((line for line in file.lines if line.strip()), "")
            if first != "#pragma once":
                yield file, 1, "a header begins with #pragma once"
        if not file.path.startswith("tests/"):
            for match in CATCH_ALL.finditer(code):
                catch_all.append((file, code.count("\n", 0, match.start()) + 1))
    if len(catch_all) > CATCH_ALL_MOST:
        for file, number in catch_all:
            yield file, number, f"catch (...): {len(catch_all)} in all, at most {CATCH_ALL_MOST}"
