#!/usr/bin/env python3
"""Says which metrics the dashboards and rules ask for that are not in a scrape (given as a file),
which queries do not parse, and which alerts have no runbook. Exit 1 when there is one."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).parent
NAME = re.compile(r"\b[a-z_:][a-z0-9_:]*\b")
WORDS = {
    "sum", "max", "min", "by", "le", "rate", "increase", "histogram_quantile", "offset", "and",
    "or", "on", "time", "absent", "abs", "changes", "without", "avg", "count", "label_values",
}
GENERATED = re.compile(r"(_bucket|_sum|_count)$")


def names_of(query):
    """Metric names: words outside of braces, brackets, strings and label lists."""
    query = re.sub(r'"[^"]*"', "", query)
    query = re.sub(r"\{[^}]*\}", "", query)
    query = re.sub(r"\[[^\]]*\]", "", query)
    query = re.sub(r"\b(by|without|on)\s*\([^)]*\)", "", query)
    query = re.sub(r"\boffset\s+\w+", "", query)
    return {name for name in NAME.findall(query) if name not in WORDS and len(name) > 3}


def dashboard_queries():
    for path in sorted((FOLDER / "grafana").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{path.name}: ${variable['name']}", variable["definition"]


def rule_queries():
    """Without a YAML library: our rule files put each expression behind `expr:`."""
    for path in (FOLDER / "prometheus/rules.yml", FOLDER / "prometheus/alerts.yml"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            found = re.match(r"(\s*)expr: (.*)", line)
            if not found:
                continue
            text = found.group(2)
            if text == "|":
                inside = []
                for more in lines[number + 1:]:
                    if not more.startswith(found.group(1) + "  "):
                        break
                    inside.append(more.strip())
                text = " ".join(inside)
            yield f"{path.name}:{number + 1}", text


def recorded():
    text = (FOLDER / "prometheus/rules.yml").read_text()
    return set(re.findall(r"record: (\S+)", text))


def parse_faults(queries):
    """promtool reads rule files only, so the queries of the dashboards become one."""
    groups = {"groups": [{"name": "g", "rules": [
        {"record": f"q{i}", "expr": query} for i, (_, query) in enumerate(queries)]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(groups, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True,
                              text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def main():
    there = set(re.findall(r"^# TYPE (\S+)", pathlib.Path(sys.argv[1]).read_text(), re.MULTILINE))
    there |= recorded()
    faults = []
    drawn = [(where, query) for where, query in dashboard_queries()
             if not query.startswith("label_values")]
    plain = [(where, query.replace("$__rate_interval", "5m")) for where, query in drawn]
    faults += parse_faults(plain)
    for where, query in [*dashboard_queries(), *rule_queries()]:
        names = names_of(query.replace("label_values(", "(").split(", ")[0]
                         if query.startswith("label_values") else query)
        for name in sorted(names):
            if name not in there and GENERATED.sub("", name) not in there:
                faults.append(f"{where}: no metric {name}")
    alerts = (FOLDER / "prometheus/alerts.yml").read_text()
    for page in re.findall(r"docs/runbooks/(\w+)\.md", alerts):
        if not (FOLDER.parent / "docs/runbooks" / f"{page}.md").exists():
            faults.append(f"alerts.yml: no runbook {page}")
    if len(re.findall("- alert:", alerts)) != len(re.findall("runbook_url:", alerts)):
        faults.append("alerts.yml: an alert has no runbook")
    print("\n".join(faults), file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
