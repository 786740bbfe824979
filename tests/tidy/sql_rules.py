"""How statements and migrations are written."""

import re

LOWER_KEYWORD = re.compile(
    r"\b(select|insert|update|delete|from|where|returning|values|join|having|union|create|alter"
    r"|begin|declare|raise|limit)\b"
)
DOLLAR_BODY = re.compile(r"(\$\w*\$).*?\1", re.DOTALL)
NOT_CODE = re.compile(r"--[^\n]*|'(?:''|[^'])*'|/\*.*?\*/|\"[^\"]*\"", re.DOTALL)


def strip(text):
    return NOT_CODE.sub(lambda match: "''" + "\n" * match.group(0).count("\n"), text)


def header_of(file):
    lines = []
    for line in file.lines:
        if not line.startswith("--"):
            break
        lines.append(line)
    return "\n".join(lines)


def check_query(file):
    header = header_of(file)
    body = strip(file.text)
    if not header:
        yield 1, "a statement begins with a comment: purpose, parameters, rows, index, locks"
        return
    for word in ("Index", "Lock"):
        if word.lower() not in header.lower():
            yield 1, f"the header comment does not say \"{word}...\" ({word}: none, if so)"
    for parameter in sorted(set(re.findall(r"\$\d+", body))):
        if not re.search(re.escape(parameter) + r"\b", header):
            yield 1, f"the header comment does not explain {parameter}"
    statements = DOLLAR_BODY.sub("''", body).split(";")
    if len([part for part in statements if part.strip(" \n'")]) > 1:
        yield 1, "one statement per file"


def check_migration(file):
    if not re.match(r"^-- breaking: (no|yes)$", file.lines[0] if file.lines else ""):
        yield 1, "a migration begins with the line `-- breaking: no` or `-- breaking: yes`"
    if not re.match(r"^\d{4}_[a-z0-9]+_[a-z0-9_]+\.sql$", file.name):
        yield 1, "a migration is named NNNN_verb_object.sql"


def check_use(files, queries):
    """A statement nobody runs is dead."""
    code = "\n".join(file.text for file in files if file.is_cpp)
    used = set(re.findall(r"\bsql::(\w+)", code)) | set(re.findall(r"<sql/(\w+)\.hpp>", code))
    for file in queries:
        name = file.name[: -len(".sql")]
        if name not in used:
            yield file, 1, f"no source uses libqueue::sql::{name}"


def check(files):
    queries = [file for file in files if re.search(r"(^|/)sql/queries/[^/]+\.sql$", file.path)]
    for file in files:
        if file.suffix != ".sql" or file.path == "sql/schema.sql":
            continue
        found = []
        if file in queries:
            found = list(check_query(file))
        elif re.match(r"^(sql/migrations|processors/.*/sql)/[^/]+\.sql$", file.path):
            found = list(check_migration(file))
        for number, line in enumerate(strip(file.text).split("\n"), 1):
            match = LOWER_KEYWORD.search(line)
            if match and re.match(r"^(sql|processors)/", file.path):
                word = match.group(0)
                found.append((number, f"keyword `{word}`: write {word.upper()}"))
        for number, message in found:
            yield file, number, message
    yield from check_use(files, queries)
