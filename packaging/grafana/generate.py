#!/usr/bin/env python3
"""Writes the Grafana dashboards beside this file. Run it after a change; a test compares.

Every panel names its data source by a variable, rates use $__rate_interval, units are set, and the
uid of a dashboard never changes, so that links to it stay good.
"""

import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
JOB = 'job=~"$job",instance=~"$instance"'
QUEUE = JOB + ',queue=~"$queue"'


def variable(name, query, label=None):
    return {
        "name": name, "label": label or name, "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "definition": query, "refresh": 2, "sort": 1,
        "includeAll": True, "allValue": ".*", "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def variables(with_queue):
    made = [
        {"name": "datasource", "label": "data source", "type": "datasource",
         "query": "prometheus"},
        variable("job", "label_values(libqueue_build_info, job)"),
        variable("instance", 'label_values(libqueue_build_info{job=~"$job"}, instance)'),
    ]
    if with_queue:
        made.append(variable("queue", 'label_values(libqueue_queue_jobs{job=~"$job"}, queue)'))
    return made


def targets(queries):
    return [
        {"datasource": SOURCE, "expr": expression, "legendFormat": legend, "refId": chr(65 + i),
         "range": True}
        for i, (expression, legend) in enumerate(queries)
    ]


def panel(title, unit, queries, kind="timeseries", about="", width=12, mappings=None):
    made = {
        "title": title, "type": kind, "description": about, "datasource": SOURCE,
        "targets": targets(queries),
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "mappings": mappings or []},
                        "overrides": []},
        "options": {}, "width": width,
    }
    if kind == "timeseries":
        made["options"] = {"legend": {"displayMode": "list", "placement": "bottom"},
                           "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


def laid_out(panels):
    x = y = 0
    for number, each in enumerate(panels, 1):
        width = each.pop("width")
        if x + width > 24:
            x, y = 0, y + 8
        each["id"] = number
        each["gridPos"] = {"x": x, "y": y, "w": width, "h": 8}
        x += width
    return panels


def dashboard(uid, title, panels, with_queue=True):
    return {
        "id": None, "uid": uid, "title": title, "tags": ["libqueue"], "timezone": "browser",
        "schemaVersion": 38, "version": 1, "refresh": "30s", "editable": True,
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables(with_queue)},
        "annotations": {"list": [{
            "name": "starts", "datasource": SOURCE, "enable": True, "iconColor": "blue",
            "expr": f"changes(process_start_time_seconds{{{JOB}}}[1m]) > 0",
            "titleFormat": "workerd started", "textFormat": "{{instance}}"}]},
        "links": [{"title": "workerd", "type": "link", "url": "/", "targetBlank": True}],
        "panels": laid_out(panels),
    }


def quantile(share, metric, by, where):
    return (f"histogram_quantile({share}, sum by (le, {by}) "
            f"(rate({metric}_bucket{{{where}}}[$__rate_interval])))")


BREAKER = [{"type": "value", "options": {
    "0": {"text": "closed", "color": "green"}, "1": {"text": "open", "color": "red"},
    "2": {"text": "half-open", "color": "yellow"}}}]


def overview():
    return dashboard("libqueue-overview", "libqueue / overview", [
        panel("Queue depth: waiting and active", "short", [
            (f'sum by (queue) (queue_size{{{QUEUE}}})', "{{queue}} waiting"),
            (f'sum by (queue) (queue_active_jobs{{{QUEUE}}})', "{{queue}} active")]),
        panel("Processing rate", "ops", [
            (f"sum by (queue) (rate(queue_jobs_processed_total{{{QUEUE}}}[$__rate_interval]))",
             "{{queue}}")]),
        panel("Failures", "percent", [
            (f"100 * sum by (queue) (rate(queue_jobs_failed_total{{{QUEUE}}}[$__rate_interval])) "
             f"/ (sum by (queue) (rate(queue_jobs_failed_total{{{QUEUE}}}[$__rate_interval])) + "
             f"sum by (queue) (rate(queue_jobs_processed_total{{{QUEUE}}}[$__rate_interval])))",
             "{{queue}}")], about="Of the runs that ended."),
        panel("Oldest waiting job", "s", [
            (f"max by (queue) (oldest_job_age_seconds{{{QUEUE}}})", "{{queue}}")]),
        panel("Duration p95", "s", [
            (quantile(0.95, "queue_job_processing_duration_seconds", "queue", QUEUE),
             "{{queue}}")]),
        panel("Wait p95", "s", [
            (quantile(0.95, "libqueue_job_wait_seconds", "queue", QUEUE), "{{queue}}")]),
        panel("Limiter tokens", "short", [
            (f'min by (limit) (libqueue_limit_tokens{{{JOB}}})', "{{limit}}")]),
        panel("Circuit breakers", "short", [
            (f"max by (name) (circuit_breaker_state{{{JOB}}})", "{{name}}")],
            kind="state-timeline", mappings=BREAKER),
        panel("Worker concurrency", "short", [
            (f"sum by (queue, state) (libqueue_worker_slots{{{QUEUE}}})",
             "{{queue}} {{state}}")]),
        panel("Open alerts", "short", [
            (f"max by (severity) (libqueue_alerts_open{{{JOB}}})", "{{severity}}")]),
    ])


def queue():
    return dashboard("libqueue-queue", "libqueue / queue", [
        panel("Jobs by state", "short", [
            (f"sum by (state) (libqueue_queue_jobs{{{QUEUE}}})", "{{state}}")]),
        panel("Runs by outcome", "ops", [
            (f"sum by (outcome) (rate(libqueue_jobs_finished_total{{{QUEUE}}}[$__rate_interval]))",
             "{{outcome}}")]),
        panel("Runs by kind", "ops", [
            (f"sum by (kind) (rate(libqueue_jobs_finished_total{{{QUEUE}}}[$__rate_interval]))",
             "{{kind}}")]),
        panel("Run time p95 by kind", "s", [
            (quantile(0.95, "libqueue_job_run_seconds", "kind", QUEUE), "{{kind}}")]),
        panel("From enqueued to completed", "s", [
            (quantile(share, "libqueue_job_end_to_end_seconds", "queue", QUEUE),
             "{{queue}} p" + str(share)[2:]) for share in (0.5, 0.95, 0.99)]),
        panel("Canary p95", "s", [
            (quantile(0.95, "libqueue_canary_seconds", "queue", QUEUE), "{{queue}}")]),
        panel("Dead letters", "ops", [
            (f"sum by (kind) (rate(libqueue_jobs_dead_total{{{QUEUE}}}[$__rate_interval]))",
             "{{kind}}")]),
        panel("Workers", "short", [
            (f"max by (queue) (libqueue_workers{{{QUEUE}}})", "{{queue}}"),
            (f"max by (queue) (libqueue_queue_paused{{{QUEUE}}})", "{{queue}} paused")]),
    ])


def database():
    return dashboard("libqueue-database", "libqueue / database", [
        panel("Database connection", "short", [
            (f"libqueue_worker_connected{{{JOB}}}", "{{instance}}")], kind="state-timeline"),
        panel("Connections", "short", [
            (f"max by (state) (libqueue_db_connections{{{JOB}}})", "{{state}}"),
            (f"max(libqueue_db_connections_max{{{JOB}}})", "allowed")]),
        panel("Claim time p99", "s", [
            (quantile(0.99, "libqueue_claim_seconds", "instance", JOB), "{{instance}}")]),
        panel("Jobs for each claim", "short", [
            (f"sum(rate(libqueue_jobs_claimed_total{{{JOB}}}[$__rate_interval])) / "
             f'sum(rate(libqueue_claims_total{{{JOB},result="jobs"}}[$__rate_interval]))',
             "jobs")]),
        panel("Dead rows", "short", [
            (f"max by (table) (libqueue_db_dead_tuples{{{JOB}}})", "{{table}}")]),
        panel("Table sizes", "bytes", [
            (f"max by (table) (libqueue_db_table_bytes{{{JOB}}})", "{{table}}")]),
        panel("Oldest transaction", "s", [
            (f"max(libqueue_db_oldest_transaction_seconds{{{JOB}}})", "age")]),
        panel("Clock offset", "s", [
            (f"libqueue_db_clock_offset_seconds{{{JOB}}}", "{{instance}}")]),
        panel("Worker events", "ops", [
            (f"sum by (event) (rate(libqueue_worker_events_total{{{JOB}}}[$__rate_interval]))",
             "{{event}}")]),
        panel("Idempotency keys", "short", [
            (f"max(libqueue_idempotency_keys{{{JOB}}})", "kept")], about="How many are kept."),
        panel("Idempotency hit rate", "percentunit", [
            (f'sum(rate(libqueue_idempotency_total{{{JOB},result="hit"}}[$__rate_interval])) / '
             f"sum(rate(libqueue_idempotency_total{{{JOB}}}[$__rate_interval]))", "hits")],
            about="Of enqueues with an idempotency key, those that found their job there."),
    ], with_queue=False)


def integrations():
    return dashboard("libqueue-integrations", "libqueue / integrations", [
        panel("Outbound requests by code", "ops", [
            (f"sum by (processor, code) "
             f"(rate(libqueue_outbound_requests_total{{{JOB}}}[$__rate_interval]))",
             "{{processor}} {{code}}")]),
        panel("Outbound request p95", "s", [
            (quantile(0.95, "libqueue_outbound_request_duration_seconds", "processor", JOB),
             "{{processor}}")]),
        panel("Payments", "ops", [
            (f"sum by (status) (rate(payments_processed_total{{{JOB}}}[$__rate_interval]))",
             "{{status}}")]),
        panel("Refunds", "ops", [
            (f"sum by (status) (rate(refunds_processed_total{{{JOB}}}[$__rate_interval]))",
             "{{status}}")]),
        panel("Mints", "ops", [
            (f"sum by (status) (rate(nfts_minted_total{{{JOB}}}[$__rate_interval]))",
             "{{status}}")]),
        panel("Mails", "ops", [
            (f"sum(rate(emails_sent_total{{{JOB}}}[$__rate_interval]))", "sent"),
            (f"sum(rate(emails_failed_total{{{JOB}}}[$__rate_interval]))", "failed")]),
        panel("Webhooks", "ops", [
            (f"sum(rate(webhooks_sent_total{{{JOB}}}[$__rate_interval]))", "sent"),
            (f"sum(rate(webhooks_failed_total{{{JOB}}}[$__rate_interval]))", "failed")]),
        panel("Text messages", "ops", [
            (f"sum(rate(sms_sent_total{{{JOB}}}[$__rate_interval]))", "sent"),
            (f"sum(rate(sms_failed_total{{{JOB}}}[$__rate_interval]))", "failed")]),
        panel("HTTP requests", "ops", [
            (f"sum by (path, code) (rate(http_requests_total{{{JOB}}}[$__rate_interval]))",
             "{{path}} {{code}}")]),
        panel("HTTP request p95", "s", [
            (quantile(0.95, "http_request_duration_seconds", "path", JOB), "{{path}}")]),
    ], with_queue=False)


ALL = {"overview": overview, "queue": queue, "database": database, "integrations": integrations}


def main():
    stale = []
    for name, make in ALL.items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(make(), indent=1, sort_keys=True) + "\n"
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"run packaging/grafana/generate.py: {', '.join(stale)} differ")


if __name__ == "__main__":
    main()
