#!/usr/bin/env python3
"""House style as a test: layers, sizes, banned calls, SQL, dead files.

usage: tidy.py [ROOT]          check the tree
       tidy.py --self-test     check that every rule fires on what it forbids
"""

import pathlib
import sys

import layer_rules
import size_rules
import source_tree
import sql_rules
import tree_rules
import word_rules

RULES = [layer_rules, size_rules, word_rules, sql_rules, tree_rules]


def problems(files):
    for rules in RULES:
        for file, number, message in rules.check(files):
            yield f"{file.path}:{number}: {message}"


def main(arguments):
    if arguments == ["--self-test"]:
        import self_test

        return self_test.run(problems)
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).parents[2]
    files = source_tree.load(root)
    found = sorted(set(problems(files)))
    print("\n".join(found))
    print(f"tidy: {len(files)} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
