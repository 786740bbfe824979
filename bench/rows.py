"""The rows of the table of figures."""

import statistics


def row(what, ours, limit, unit, ratio, required, ok):
    return {
        "what": what, "ours": ours, "limit": limit, "unit": unit, "ratio": ratio,
        "required": required, "ok": ok,
    }


def at_least(what, ours, limit, unit, required, ratios=None):
    """A row of medians; the ratio is the median of the pairs' own ratios."""
    ratios = ratios or [a / b for a, b in zip(ours, limit)]
    ratio = statistics.median(ratios)
    return row(
        what, statistics.median(ours), statistics.median(limit), unit, ratio,
        f">= {required} x", ratio >= required,
    )
