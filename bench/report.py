"""How results are printed and where they are kept."""

import json
import os
import pathlib
import platform
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent
BEGIN, END = "<!-- results: bench/run --readme -->", "<!-- end of results -->"


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER)
    return done.stdout.strip()


def commit():
    git = ["git", "-c", "safe.directory=*"]
    name = output_of(*git, "rev-parse", "--short=12", "HEAD") or "unknown"
    changed = output_of(*git, "status", "--porcelain", "--untracked-files=no")
    return name + (" with changes" if changed else "")


def machine(data_dir):
    cpu = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "kernel": platform.release(),
        "filesystem": output_of("findmnt", "-n", "-o", "FSTYPE", "-T", str(data_dir)),
        "load_before": round(os.getloadavg()[0], 2),
    }


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.2f}"


def verdict(row):
    if row["ok"] is None:
        return ""
    return "ok" if row["ok"] else "SHORT"


def cells(row):
    ratio = "-" if row["ratio"] is None else f"{row['ratio']:.2f}"
    return [
        row["what"], f"{number(row['ours'])} {row['unit']}", number(row["limit"]), ratio,
        row["required"], verdict(row),
    ]


HEAD = ["figure", "ours", "limit", "ratio", "required", ""]


def table(rows):
    lines = [HEAD] + [cells(row) for row in rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
    made = []
    for line in lines:
        text = [line[0].ljust(widths[0])]
        text += [cell.rjust(width) for cell, width in zip(line[1:5], widths[1:5])]
        made.append("  ".join(text + [line[5]]).rstrip())
    return "\n".join(made)


def about(results):
    host = results["machine"]
    settings = ", ".join(f"{name} {value}" for name, value in results["settings"].items())
    return [
        f"{results['when']}, commit {results['commit']}",
        f"{host['cpu']}, {host['cores']} cores, {host['memory_gib']} GiB, "
        f"Linux {host['kernel']}, {host['filesystem']}, load {host['load_before']} before",
        f"{results['postgresql']}: {settings}; the rest default",
    ]


def save(results, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def newest():
    found = sorted((FOLDER / "results").glob("*.json"))
    if not found:
        raise SystemExit("bench/run: expected a file in bench/results, found none")
    return found[-1]


def write_readme(path):
    """The table into the project's README.md."""
    results = json.loads(path.read_text())
    lines = [line + ".  " for line in about(results)]
    lines += ["", "| " + " | ".join(HEAD) + " |", "|---|---:|---:|---:|---:|---|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in results["rows"]]
    block = "\n".join([BEGIN, "", *[line.rstrip() for line in lines], "", END])
    readme = FOLDER.parent / "README.md"
    before, rest = readme.read_text().split(BEGIN, 1)
    readme.write_text(before + block + rest.split(END, 1)[1])
