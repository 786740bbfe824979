"""Every screen of the dashboard in a browser, and every list of the API, against a real workerd on
the database of pages.py. Absolute: usable within half a second, a list within 200 ms at its 95th
percentile."""

import hashlib
import http.client
import json
import secrets
import statistics
import subprocess
import time
import urllib.parse

import year
from holding import workerd
from rows import row

QUICK = {"rounds": 2, "screen_rounds": 1, "minutes": 60, "many": 2000}
FULL = {"rounds": 40, "screen_rounds": 20, "minutes": 30 * 24 * 60, "many": 100000}
SCREEN_MS = 500
PAINT_MS = 300
LIST_MS = 200
BROWSER_SECONDS = 1800
# Whoever measures asks oftener than a person may.
SECTIONS = (
    "log: {level: info}\n"
    "http: {listen: 127.0.0.1:0, rate_limits: {token: 100000/s}}\n"
    "limits: {stripe: {burst: 25, rate: 5/s}}\n"
)
DEAD_ID = 50


def sizes(bench):
    if bench.options.quick:
        return QUICK
    size, rounds = dict(FULL), bench.options.pairs
    if bench.options.size:
        size |= {"minutes": QUICK["minutes"], "many": QUICK["many"]}
    if rounds:
        size |= {"rounds": rounds, "screen_rounds": rounds}
    return size


def waiting_id(bench):
    return year.finished(bench) + year.waiting(bench) // 2


def lists(bench, batch, name="report-7"):
    """Address -> what is asked of it, by path of the route. Every route that answers a list."""
    waits = waiting_id(bench)
    return {
        "/jobs": ["", *(f"filter={urllib.parse.quote(text)}" for text in (
            "state:ready", "queue:q7 state:ready,scheduled,retrying", "state:dead,retrying",
            "state:completed kind:email.*", "tag:vip", "args.user.id:4242", "nowhere",
            "state:dead age:>1d",
        ))],
        "/jobs/{id}/attempts": [DEAD_ID],
        "/jobs/{id}/logs": [DEAD_ID],
        "/jobs/{id}/effects": [DEAD_ID],
        "/jobs/{id}/lineage": [DEAD_ID],
        "/filters/complete": ["prefix=state:", "prefix=kind:em", "prefix=queue:q"],
        "/dead-letters": ["", "filter=queue:q7", "filter=error:timeout"],
        "/dead-letters/groups": ["", "hours=24", "filter=queue:q7"],
        "/queues": [""],
        "/queues/{name}/jobs": ["q7", "q7?state=ready"],
        "/batches": ["", "unfinished=true"],
        "/batches/{id}/items": [batch],
        "/operations": ["", "unfinished=true"],
        "/schedules": [""],
        "/schedules/preview": ["cron=" + urllib.parse.quote("0 3 * * *")],
        "/schedules/{name}/runs": [name],
        "/schedules/{name}/next": [name],
        "/subscriptions": [""],
        "/subscriptions/unrouted": [""],
        "/workers": [""],
        "/kinds": [""],
        "/kinds/unhandled": [""],
        "/limits": [""],
        "/limits/{name}": ["stripe"],
        "/rate-limits/status/{key}": ["stripe"],
        "/webhooks/endpoints": [""],
        "/webhooks/deliveries": ["", "outcome=failed", "endpoint=7"],
        "/templates": [""],
        "/alerts": [""],
        "/alerts/history": ["", "severity=warning"],
        "/audit": ["", "action=jobs.retry", "actor=token:other-7", "target=job:77"],
        "/tokens": [""],
        "/tenants": [""],
        "/settings": [""],
    }, {
        # What screens ask for beside lists: shown, but held to nothing by themselves.
        "/overview": [""],
        "/database": [""],
        "/jobs/count": ["filter=state:ready"],
        "/jobs/{id}": [DEAD_ID, waits],
        "/jobs/{id}/explain": [waits],
        "/dead-letters/{id}": [DEAD_ID],
        "/dead-letters/export": [""],
        "/queues/{name}": ["q7"],
        "/workflows/{job_id}": [waits],
        "/stats/series": ["metric=throughput", "metric=wait&queue=q7", "metric=depth"],
    }


class api:
    """One connection with a token."""

    def __init__(self, address, token):
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path):
        """(milliseconds, body)"""
        begin = time.monotonic()
        self.connection.request("GET", "/api/v1" + path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = 1000 * (time.monotonic() - begin)
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {body.decode()}")
        return took, body


def check_covered(described, known):
    """That no list of the API is left out here."""
    missing = []
    for path, verbs in described["paths"].items():
        answers = verbs.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = answers.get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").endswith("/list") and path.removeprefix("/api/v1") not in known:
            missing.append(path)
    if missing:
        raise RuntimeError(f"lists of the API that are not measured: {', '.join(missing)}")


def filled_in(path, asked):
    """The address of a request: what is asked fills the place in braces, or is the query."""
    asked = str(asked)
    if "{" not in path:
        return path + ("?" + asked if asked else "")
    value, _, query = asked.partition("?")
    before, rest = path.split("{", 1)
    return before + value + rest.split("}", 1)[1] + ("?" + query if query else "")


def listed(bench, client, batch):
    known, shown = lists(bench, batch)
    check_covered(json.loads(client.get("/openapi.json")[1]), known)
    rounds = sizes(bench)["rounds"]
    for judged, paths in ((True, known), (False, shown)):
        for path, all_asked in paths.items():
            for asked in all_asked:
                address = filled_in(path, asked)
                took = [client.get(address)[0] for _ in range(rounds)]
                p95 = year.percentile95(took)
                bench.samples.append({"get": address, "ms": took})
                name = urllib.parse.unquote(address)
                yield row(
                    f"GET {name}: p95 (p50 {statistics.median(took):.0f} ms)", p95, None, "ms",
                    None, f"< {LIST_MS} ms" if judged else "", p95 < LIST_MS if judged else None,
                )


def opened(bench, address, token, batch):
    installed = subprocess.run(
        [year.FOLDER.parent / "scripts" / "install-node-modules", "browser"],
        capture_output=True, text=True, check=False,
    )
    if installed.returncode != 0:
        raise RuntimeError(installed.stderr)
    given = {
        "modules": installed.stdout.split("\n", 1)[0], "url": f"http://{address}/", "admin": token,
        "jobs": {"dead-bulk": DEAD_ID, "waits": waiting_id(bench)}, "batch": batch, "queue": "q7",
        "schedule": "report-7", "rounds": sizes(bench)["screen_rounds"],
    }
    done = subprocess.run(
        ["node", year.FOLDER / "screens.js", json.dumps(given)], capture_output=True, text=True,
        check=False, timeout=BROWSER_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    if found["faults"]:
        raise RuntimeError("screens: " + "; ".join(found["faults"][:10]))
    painted = found["painted"]
    p95 = year.percentile95(painted)
    bench.samples.append({"first paint": "overview", "ms": painted})
    yield row(
        f"screen overview, first paint: p95 (p50 {statistics.median(painted):.0f} ms)", p95, None,
        "ms", None, f"< {PAINT_MS} ms", p95 < PAINT_MS,
    )
    for name, took in found["took"].items():
        p95 = year.percentile95(took)
        bench.samples.append({"screen": name, "ms": took})
        yield row(
            f"screen {name}: p95 (p50 {statistics.median(took):.0f} ms)", p95, None, "ms", None,
            f"< {SCREEN_MS} ms", p95 < SCREEN_MS,
        )


def processors(bench):
    """Those that have screens. Nothing is sent: none of their jobs is run."""
    keys = {"endpoint_key_file": secrets.token_hex(32), "secret_file": "whsec_" + "QUFB" * 8}
    said = []
    for option, text in keys.items():
        path = bench.cluster.dir / option
        path.write_text(text + "\n")
        path.chmod(0o600)
        said.append(f'{option}: "{path}"')
    return (
        'debug: true, email: {host: 127.0.0.1, from: "shop@example.com", tls: none}, '
        f'webhook: {{{", ".join(said)}}}'
    )


def screens(bench):
    size = sizes(bench)
    token = "lq_" + secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).hexdigest()
    with year.database(bench) as database:
        year.run_script(
            bench, database, "screens.sql", minutes=size["minutes"], many=size["many"]
        )
        bench.cluster.sql(
            f"SELECT queue.create_token('\\x{digest}', 'admin', name => 'bench')", database
        )
        batch = bench.cluster.sql("SELECT max(id) FROM queue.batch", database)[0][0]
        with workerd(
            bench, database, concurrency=10, processors=processors(bench), sections=SECTIONS
        ) as daemon:
            year.run_script(bench, database, "screens_processors.sql", many=size["many"])
            yield from opened(bench, daemon.address(), token, batch)
            yield from listed(bench, api(daemon.address(), token), batch)


ALL = {"screens": screens}
