#!/usr/bin/env python3
"""usage: ctest_results.py JUNIT_XML — what a ctest run amounts to.

Prints "<passed> <failed>", then one line per ctest entry that failed or was skipped. Each doctest
case counts, and each entry that is no doctest program. A program that crashed, ran out of time or
leaked after a clean summary counts as one failure more.
"""

import re
import sys
import xml.etree.ElementTree

SUMMARY = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


def main():
    passed = failed = 0
    notes = []
    for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        name = case.get("name")
        if case.find("skipped") is not None and case.get("status") != "run":
            notes.append(f"skipped {name}")
            continue
        good = case.get("status") == "run"
        # Several summaries: an entry may run several programs.
        cases = SUMMARY.findall(case.findtext("system-out") or "")
        passed += sum(int(entry[0]) for entry in cases)
        broken = sum(int(entry[1]) for entry in cases)
        failed += broken
        if good and not cases:
            passed += 1
        if not good:
            failed += broken == 0
            notes.append(f"FAILED {name}")
    print(passed, failed)
    print("\n".join(notes))


main()
