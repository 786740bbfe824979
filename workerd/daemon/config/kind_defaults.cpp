#include "config/kind_defaults.hpp"

#include <libqueue/backoff.hpp>
#include <libqueue/duration.hpp>

#include <fmt/format.h>

#include <array>

namespace workerd {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct row {
    /// Exact, or a prefix ending in `*`; the first match counts.
    std::string_view kind;
    std::string_view queue;
    int priority;
    int concurrency;
    int retries;
    /// Of libqueue::find_retry_preset().
    std::string_view preset;
    int crash_budget;
    milliseconds timeout;
    std::string_view on_lost;
    /// Of finished jobs; 0: the queue's.
    milliseconds retention;
    /// Where they go then; empty: what the database says.
    std::string_view archive;
};

constexpr milliseconds day = 24h;

// Money and mint reconcile: an attempt that was lost may have had its effect.
constexpr std::array rows{
    row{"payment.retry", "money", 1, 3, 5, "payment", 2, 30s, "reconcile", 90 * day,
        "payment_archive"},
    row{"payment.*", "money", 1, 5, 5, "payment", 3, 30s, "reconcile", 90 * day, "payment_archive"},
    row{"refund.*", "money", 1, 5, 5, "payment", 3, 30s, "reconcile", 90 * day, "payment_archive"},
    row{"ticket.mint", "money", 3, 3, 3, "mint", 1, 60s, "reconcile", 365 * day,
        "blockchain_archive"},
    row{"nft.mint", "money", 3, 3, 3, "mint", 1, 60s, "reconcile", 365 * day, "blockchain_archive"},
    row{"order.fulfill", "money", 3, 10, 3, "default", 3, 30s, "retry", 90 * day, ""},
    row{"email.send", "communication", 5, 20, 3, "email", 5, 60s, "retry", 7 * day, ""},
    row{"webhook.deliver", "communication", 5, 10, 4, "webhook", 3, 60s, "retry", 30 * day,
        "webhook_archive"},
    row{"webhook.event", "communication", 5, 0, 9, "webhook", 3, 60s, "retry", 30 * day,
        "webhook_archive"},
    row{"webhook.publish", "communication", 5, 10, 4, "webhook", 3, 60s, "retry", 0s, ""},
    row{"webhook.prune", "background", 10, 1, 2, "default", 3, 300s, "retry", 0s, ""},
    row{"sms.send", "communication", 5, 10, 2, "default", 3, 30s, "retry", 0s, ""},
    row{"analytics.*", "background", 7, 10, 2, "default", 3, 30s, "retry", 0s, ""},
    row{"report.*", "background", 7, 10, 2, "default", 3, 300s, "retry", 0s, ""},
    row{"cleanup.*", "background", 10, 10, 2, "default", 3, 300s, "retry", 0s, ""},
    row{"maintenance.*", "background", 10, 10, 2, "default", 3, 300s, "retry", 0s, ""},
    row{"*", "default", 5, 0, 3, "default", 3, 300s, "retry", 0s, ""},
};

bool matches(std::string_view pattern, std::string_view kind) {
    if (pattern.ends_with('*'))
        return kind.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == kind;
}

template <typename Value>
std::optional<Value> either(const std::optional<Value>& first, const std::optional<Value>& second) {
    return first ? first : second;
}

}  // namespace

kind_config kind_defaults(std::string_view kind) {
    kind_config standard;
    for (const auto& entry : rows) {
        if (!matches(entry.kind, kind))
            continue;
        standard.concurrency = entry.concurrency;
        standard.timeout = entry.timeout;
        standard.max_attempts = entry.retries + 1;
        standard.queue = std::string{entry.queue};
        standard.priority = entry.priority;
        const auto& policy = libqueue::find_retry_preset(entry.preset)->policy;
        standard.retry_strategy = std::string{to_string(policy.strategy)};
        standard.retry_base = policy.base;
        standard.retry_cap = policy.cap;
        standard.retry_jitter = policy.jitter;
        standard.crash_budget = entry.crash_budget;
        standard.on_lost = std::string{entry.on_lost};
        if (entry.retention > 0s)
            standard.retention = entry.retention;
        if (!entry.archive.empty())
            standard.archive = std::string{entry.archive};
        break;
    }
    return standard;
}

kind_config overlay(const kind_config& set, const kind_config& standard) {
    kind_config merged;
    merged.concurrency = either(set.concurrency, standard.concurrency);
    merged.timeout = either(set.timeout, standard.timeout);
    merged.max_attempts = either(set.max_attempts, standard.max_attempts);
    merged.queue = either(set.queue, standard.queue);
    merged.priority = either(set.priority, standard.priority);
    merged.retry_strategy = either(set.retry_strategy, standard.retry_strategy);
    merged.retry_base = either(set.retry_base, standard.retry_base);
    merged.retry_cap = either(set.retry_cap, standard.retry_cap);
    merged.retry_jitter = either(set.retry_jitter, standard.retry_jitter);
    merged.crash_budget = either(set.crash_budget, standard.crash_budget);
    merged.on_lost = either(set.on_lost, standard.on_lost);
    merged.retention = either(set.retention, standard.retention);
    merged.cancelled_retention = either(set.cancelled_retention, standard.cancelled_retention);
    merged.dead_letter_retention =
        either(set.dead_letter_retention, standard.dead_letter_retention);
    merged.archive = either(set.archive, standard.archive);
    merged.limit = either(set.limit, standard.limit);
    merged.encrypted = either(set.encrypted, standard.encrypted);
    return merged;
}

std::string kind_defaults_table() {
    std::string text =
        "| kind | queue | priority | concurrency | attempts | wait between attempts | crash budget "
        "| timeout | on_lost | retention | archive |\n"
        "|---|---|---:|---:|---:|---|---:|---|---|---|---|\n";
    for (const auto& entry : rows) {
        const auto wait = to_string(libqueue::find_retry_preset(entry.preset)->policy);
        text +=
            fmt::format("| `{}` | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", entry.kind,
                        entry.queue, entry.priority, entry.concurrency, entry.retries + 1, wait,
                        entry.crash_budget, libqueue::format_duration(entry.timeout), entry.on_lost,
                        entry.retention > 0s ? libqueue::format_duration(entry.retention)
                                             : std::string{"its queue's"},
                        entry.archive.empty() ? "none" : entry.archive);
    }
    return text;
}

}  // namespace workerd
