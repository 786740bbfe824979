"""Lines, files and functions stay small enough to read."""

import re

COLUMNS = 100
FUNCTION_LINES = 70
FILE_LINES = 600
TEST_FILE_LINES = 800
README_LINES = 60

CONTAINER = re.compile(
    r"^\s*(?:template\s*<.*>\s*)?(?:inline\s+)?"
    r"(namespace|class|struct|union|enum|extern|TEST_SUITE)\b",
    re.DOTALL,
)


def begins_line(code, offset):
    return not code[code.rfind("\n", 0, offset) + 1 : offset].strip()


def functions(code):
    """(first line, last line) of every function body at namespace or class level, by braces."""
    stack = []  # (is a container, offset of the head's first character)
    head_start = 0
    offset = 0
    while offset < len(code):
        char = code[offset]
        at_container = all(container for container, _ in stack)
        if char == "{":
            head = code[head_start:offset].lstrip()
            container = at_container and bool(CONTAINER.match(head))
            container = container and ("(" not in head or head.startswith("TEST_SUITE"))
            stack.append((container, head_start))
            if container:
                head_start = offset + 1
        elif char == "}" and stack:
            container, start = stack.pop()
            if all(outer for outer, _ in stack):
                following = code[offset + 1 :].lstrip()[:1]
                head = code[start:offset]
                if not container and following in {",", "{"}:
                    head_start = start  # a braced member initialiser: the body is still to come
                else:
                    if not container and "(" in head.split("{", 1)[0]:
                        lead = len(head) - len(head.lstrip())
                        first = code.count("\n", 0, start + lead) + 1
                        yield first, code.count("\n", 0, offset) + 1
                    head_start = offset + 1
        elif char == ";" and at_container:
            head_start = offset + 1
        elif char == "#" and at_container and begins_line(code, offset):
            end = code.find("\n", offset)
            while end > 0 and code[end - 1] == "\\":
                end = code.find("\n", end + 1)
            offset = len(code) if end < 0 else end
            head_start = offset
        offset += 1


def check(files):
    for file in files:
        generated = file.path == "sql/schema.sql"
        if file.is_code and not generated:
            for number, line in enumerate(file.lines, 1):
                if len(line) > COLUMNS:
                    yield file, number, f"{len(line)} columns; at most {COLUMNS}"
                if line != line.rstrip():
                    yield file, number, "spaces at the end of the line"
                if "\t" in line:
                    yield file, number, "a tab; indent with spaces"
            most = TEST_FILE_LINES if file.path.startswith("tests/") else FILE_LINES
            if len(file.lines) > most:
                yield file, most, f"{len(file.lines)} lines; at most {most}: one concept per file"
            if file.text and not file.text.endswith("\n"):
                yield file, len(file.lines), "no newline at the end of the file"
        if file.is_cpp:
            for first, last in functions(file.code()):
                if last - first + 1 > FUNCTION_LINES:
                    length = last - first + 1
                    yield file, first, f"a function of {length} lines; at most {FUNCTION_LINES}"
        if file.name == "README.md" and file.path.count("/") == 1:
            if len(file.lines) > README_LINES:
                yield file, README_LINES, f"{len(file.lines)} lines; at most {README_LINES}"
