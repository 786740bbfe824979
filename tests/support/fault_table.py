#!/usr/bin/env python3
"""usage: fault_table.py TSV — prints what the fault campaign did and found, one fault a line.

Each line of the file is what tests/faults/campaign.cpp wrote down at the end of one test.
"""

import sys

HEADS = (
    "fault", "happened", "jobs", "lost", "doubled", "unfenced", "stuck", "illegal", "repeated",
    "seed",
)
SUMMED = slice(1, 9)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    rows = [row for row in rows if len(row) == len(HEADS)]
    sums = [str(sum(int(row[at]) for row in rows)) for at in range(*SUMMED.indices(len(HEADS)))]
    table = [list(HEADS), *sorted(rows), ["all", *sums, ""]]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEADS))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())


main()
