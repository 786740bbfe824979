"""A private PostgreSQL for measuring: durable, on a real disk, gone at the end."""

import ctypes
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time

# Everything else is PostgreSQL's default. Both sides of every figure run on this cluster.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "listen_addresses": "",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %d|",
    "log_parameter_max_length": "0",
    "timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "libqueue.allow_unsafe_durability": "on"}
START_SECONDS = 60
PR_SET_PDEATHSIG = 1


def bin_dir():
    found = sorted(
        pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4])
    )
    if not found:
        raise SystemExit(
            "bench/run: expected /usr/lib/postgresql/*/bin/initdb, found none; "
            "hint: scripts/install-packages"
        )
    return found[-1].parent


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


class cluster:
    def __init__(self, parent=None, durable=True):
        self.bin = bin_dir()
        self.config = SETTINGS if durable else SETTINGS | NOT_DURABLE
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="lqb.", dir=parent))
        self.log = self.dir / "server.log"
        self.server = None
        # PostgreSQL refuses to run as root.
        self.run_as = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def __enter__(self):
        try:
            self.init()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def init(self):
        subprocess.run(
            [self.bin / "initdb", "-D", self.dir / "data", "-U", "postgres", "-A", "trust"]
            + ["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"],
            cwd=self.dir, stdout=subprocess.DEVNULL, check=True, **self.run_as,
        )

    def start(self):
        command = [self.bin / "postgres", "-D", self.dir / "data", "-k", self.dir]
        for name, value in self.config.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C reaches us, and we stop it in good order.
            self.server = subprocess.Popen(
                command, cwd=self.dir, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent, **self.run_as,
            )
        until = time.monotonic() + START_SECONDS
        while subprocess.run(self.tool("pg_isready", "-q"), check=False).returncode != 0:
            if self.server.poll() is not None or time.monotonic() > until:
                raise SystemExit("bench/run: PostgreSQL did not start:\n" + self.log.read_text())
            time.sleep(0.05)

    def crash(self):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()

    def stop(self):
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                self.server.send_signal(signal.SIGQUIT)
                self.server.wait()
            self.server = None
        shutil.rmtree(self.dir, ignore_errors=True)

    def tool(self, name, *arguments):
        return [str(self.bin / name), "-h", str(self.dir), "-U", "postgres", *arguments]

    def sql(self, text, database="postgres"):
        """The rows as lists of strings. One statement per call."""
        done = subprocess.run(
            self.tool("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1")
            + ["-d", database, "-c", text],
            capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def dsn(self, database):
        return f"host={self.dir} user=postgres dbname={database}"

    def create(self, database, template=None):
        copy = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        self.sql(f"CREATE DATABASE {database}{copy}")
        if template:
            # A copy must say that it is meant to run jobs.
            self.sql("SELECT queue.adopt()", database)

    def drop(self, database):
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def settings(self):
        """What differs from PostgreSQL's defaults, as the server sees it."""
        rows = self.sql(
            "SELECT name, current_setting(name) FROM pg_settings "
            "WHERE source = 'command line' AND name !~ '^(log|unix|data_dir|listen|config)' "
            "ORDER BY name"
        )
        return dict(rows)

    def statements(self, database):
        """Statements logged for this database so far."""
        said = re.compile(rf"^\d[^|]* {database}\|LOG:  (?:execute|statement)", re.MULTILINE)
        return len(said.findall(self.log.read_text(errors="replace")))

    def slow_claims(self, database):
        """Milliseconds of each logged phase of a claim statement in this database."""
        entry = re.compile(r"^\d{4}-\d\d-\d\d [^|]*\|", re.MULTILINE)
        text = self.log.read_text(errors="replace")
        starts = [match for match in entry.finditer(text)]
        found = []
        for at, match in enumerate(starts):
            if not match.group(0).endswith(f" {database}|"):
                continue
            end = starts[at + 1].start() if at + 1 < len(starts) else len(text)
            body = text[match.end() : end]
            duration = re.search(r"duration: ([\d.]+) ms", body)
            if duration and "SKIP LOCKED" in body and "queue.lease" in body:
                found.append(float(duration.group(1)))
        return found
