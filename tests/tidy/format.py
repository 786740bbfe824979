#!/usr/bin/env python3
"""clang-format as a test.

usage: format.py ROOT [--cache FILE] [--fix]

Files that passed are remembered by content in the cache file, so that only what changed is looked
at. --fix rewrites instead of complaining.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import source_tree


def digest(file, config):
    return hashlib.sha256(config + file.text.encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--fix", action="store_true")
    arguments = parser.parse_args()

    # 14 is Debian 12's; another version formats differently.
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        print("format: skipped: no clang-format; scripts/install-packages installs it")
        return 77
    version = subprocess.run([tool, "--version"], capture_output=True, check=True).stdout
    if b"version 14." not in version:
        print(f"format: skipped: expected clang-format 14, got {version.decode().strip()}")
        return 77
    config = version + (arguments.root / ".clang-format").read_bytes()

    passed = set()
    if arguments.cache and arguments.cache.exists():
        passed = set(json.loads(arguments.cache.read_text()))
    files = [file for file in source_tree.load(arguments.root) if file.is_cpp]
    fresh = [file for file in files if digest(file, config) not in passed]

    def examine(file):
        mode = ["-i"] if arguments.fix else ["--dry-run", "-Werror"]
        command = [tool, *mode, str(arguments.root / file.path)]
        return file, subprocess.run(command, capture_output=True, text=True, check=False)

    wrong = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, done in pool.map(examine, fresh):
            if done.returncode == 0:
                passed.add(digest(file, config))
            else:
                wrong.append(file.path)
                print("\n".join(done.stderr.splitlines()[:3]))
    if arguments.cache and not arguments.fix:
        current = {digest(file, config) for file in files}
        arguments.cache.write_text(json.dumps(sorted(passed & current)))
    print(f"format: {len(files)} files, {len(fresh)} looked at, {len(wrong)} to reformat")
    if wrong:
        print("hint: clang-format -i " + " ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
