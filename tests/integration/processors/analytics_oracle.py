"""What analytics computes by SQL, once more and by other means: exact fractions and plain loops.

Reads JSON from stdin and writes a line per result, sorted, as the tests ask the database for them.
"""

import json
import sys
from fractions import Fraction

YEAR = 31557600


def half_up(value, digits=0):
    scale = 10**digits
    whole = (abs(value) * scale + Fraction(1, 2)) // 1
    return Fraction(whole, scale) * (1 if value >= 0 else -1)


def fifth(values, mine):
    return 1 + 5 * sum(1 for value in values if value < mine) // len(values)


SEGMENTS = {}
for r in range(1, 6):
    for f in range(1, 6):
        for m in range(1, 6):
            if r >= 4:
                if f >= 4:
                    name = "Champions" if m >= 4 else "Loyal"
                elif f >= 2:
                    name = "Potential Loyalists"
                else:
                    name = "New" if r == 5 else "Recent"
            elif r == 3:
                name = "Loyal" if f >= 4 else "Promising"
            elif f >= 3 or m >= 4:
                name = "At Risk"
            else:
                name = "Hibernating" if r == 2 else "Lost"
            SEGMENTS[r, f, m] = name


def score(given):
    as_of = given["as_of"]
    for one in given["customers"]:
        peers = [c for c in given["customers"] if c["currency"] == one["currency"]]
        rfm = tuple(
            fifth([c[by] for c in peers], one[by]) for by in ("last_at", "orders", "amount")
        )
        days = max(0, (as_of - one["last_at"]) // 86_400_000_000)
        churn = Fraction(1, 10)
        for least, chance in ((30, 2), (60, 4), (90, 6), (180, 8)):
            if days > least:
                churn = Fraction(chance, 10)
        churn *= 1 - Fraction(min(one["orders"] - 1, 10), 20)
        years = max(Fraction(1), Fraction(as_of - one["first_at"], 1_000_000 * YEAR))
        value = Fraction(one["amount"], one["orders"]) * (one["orders"] / years) * 3
        yield "{} {} {} {} {} {} {} {:.3f} {}".format(
            one["customer"], one["currency"], days, *rfm, SEGMENTS[rfm].replace(" ", "_"),
            float(half_up(churn, 3)), half_up(value))


def weights(model, touches, ordered_at):
    hundredths = {"organic": 30, "paid_search": 25, "social": 20, "email": 15, "direct": 10}
    for place, touch in enumerate(touches):
        if model == "first":
            weight = int(place == 0)
        elif model == "last":
            weight = int(place == len(touches) - 1)
        elif model == "linear":
            weight = 1
        elif model == "time_decay":
            weight = round(1e9 * 2.0 ** (-((ordered_at - touch["at"]) / 1e6) / 604800))
        else:
            weight = hundredths.get(touch["channel"], 10)
        yield touch["channel"], weight


def attribute(given):
    month = 30 * 86_400_000_000
    for order in (e for e in given["events"] if e["type"] == 1):
        touches = [
            e for e in given["events"]
            if e["type"] in (3, 4) and e["channel"] and e["customer"] and
            e["customer"] == order["customer"] and order["at"] - month < e["at"] <= order["at"]
        ]
        touches.sort(key=lambda e: (e["at"], e["key"]))
        if order["channel"]:
            touches.append(order)
        touches = touches or [{"channel": "direct", "at": order["at"]}]
        for model in ("first", "last", "linear", "time_decay", "channel"):
            by_channel = {}
            for channel, weight in weights(model, touches, order["at"]):
                by_channel[channel] = by_channel.get(channel, 0) + weight
            by_channel = {channel: weight for channel, weight in by_channel.items() if weight}
            total = sum(by_channel.values())
            exact = {c: Fraction(order["amount"] * w, total) for c, w in by_channel.items()}
            share = {c: value.numerator // value.denominator for c, value in exact.items()}
            left = order["amount"] - sum(share.values())
            for channel in sorted(exact, key=lambda c: (share[c] - exact[c], c))[:left]:
                share[channel] += 1
            for channel, amount in share.items():
                yield f"{order['key']} {model} {channel} {amount}"


if __name__ == "__main__":
    computed = {"scores": score, "attribution": attribute}[sys.argv[1]](json.load(sys.stdin))
    print("\n".join(sorted(computed)))
