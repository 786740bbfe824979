#!/usr/bin/env python3
"""Fails when a runbook names a qctl command or flag that qctl does not know.

Arguments: qctl and the folder of the pages.
"""

import pathlib
import re
import shlex
import subprocess
import sys

GLOBAL = {"-o", "--output", "--yes", "--dry-run", "--columns"}


def commands(page):
    text = page.read_text()
    for block in re.findall(r"```\n(.*?)```", text, re.DOTALL):
        yield from (line for line in block.splitlines() if line.startswith("qctl "))
    yield from re.findall(r"`(qctl [^`]+)`", text)


def fault(qctl, line):
    words = shlex.split(line)[1:]
    verbs = []
    for word in words[:2]:
        if not re.fullmatch(r"[a-z-]+", word) or word.startswith("-"):
            break
        verbs.append(word)
    for some in (verbs, verbs[:1]):
        done = subprocess.run([qctl, "help", *some], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            missing = [w for w in words if w.startswith("--") and w not in GLOBAL
                       and w.split("=")[0] not in done.stdout]
            is_group = "USAGE" not in done.stdout.upper()
            return f"no {missing[0]}" if missing else ("no such verb" if is_group else None)
    return "no such verb"


def main():
    faults = []
    for page in sorted(pathlib.Path(sys.argv[2]).glob("*.md")):
        for line in commands(page):
            what = fault(sys.argv[1], line)
            if what:
                faults.append(f"{page.name}: {line}: {what}")
    print("\n".join(faults), file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
