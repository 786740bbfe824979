#include "registry.hpp"

#include "config/dsn.hpp"
#include "config/kind_defaults.hpp"
#include "config/suggest.hpp"
#include "processor_kinds.hpp"
#include "processors/support/follow_ups.hpp"

#include <libqueue/backoff.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <stdexcept>
#include <utility>

namespace workerd {

namespace {

using libqueue::registration;

/// A section of `processors` and what it adds. Each function adds nothing when there is no such
/// section.
struct processor_section {
    std::string_view name;
    std::vector<registration> (*kinds)(const config&);
    void (*add_options)(const config&, libqueue::worker_options&);
};

constexpr std::array sections{
    processor_section{"processors.analytics", analytics_kinds, add_analytics_options},
    processor_section{"processors.debug", debug_kinds, nullptr},
    processor_section{"processors.email", email_kinds, add_email_options},
    processor_section{"processors.mint", mint_kinds, add_mint_options},
    processor_section{"processors.payment", payment_kinds, add_payment_options},
    processor_section{"processors.sms", sms_kinds, add_sms_options},
    processor_section{"processors.webhook", webhook_kinds, add_webhook_options},
};

// What a processor says about its own options belongs to the section that holds them.
void add_kinds(const processor_section& section, const config& value,
               std::vector<registration>& into, std::vector<config_fault>& faults) {
    try {
        auto made = section.kinds(value);
        std::move(made.begin(), made.end(), std::back_inserter(into));
    } catch (const std::invalid_argument& error) {
        faults.push_back({severity::fault,
                          {"processors", 0, 0},
                          std::string{section.name},
                          "options the processor can work with",
                          error.what(),
                          "see docs/configuration.md"});
    }
}

void apply(const kind_config& from, const config& value, libqueue::kind_options& to) {
    to.concurrency = from.concurrency.value_or(to.concurrency);
    to.timeout = from.timeout.value_or(to.timeout);
    to.max_attempts = from.max_attempts.value_or(to.max_attempts);
    to.crash_budget = from.crash_budget.value_or(to.crash_budget);
    to.retry.base = from.retry_base.value_or(to.retry.base);
    to.retry.cap = from.retry_cap.value_or(to.retry.cap);
    to.retry.jitter = from.retry_jitter.value_or(to.retry.jitter);
    if (from.retry_strategy)
        to.retry.strategy =
            libqueue::parse_backoff_strategy(*from.retry_strategy).value_or(to.retry.strategy);
    if (from.on_lost)
        to.on_lost = libqueue::parse_on_lost(*from.on_lost).value_or(to.on_lost);
    if (from.retention)
        to.retention = *from.retention;
    if (from.cancelled_retention)
        to.cancelled_retention = *from.cancelled_retention;
    if (from.dead_letter_retention)
        to.dead_letter_retention = *from.dead_letter_retention;
    if (from.archive)
        to.archive = *from.archive;
    to.limit = from.limit.value_or(to.limit);
    to.encrypted = from.encrypted.value_or(to.encrypted);
    if (from.priority)
        to.priority = *from.priority;
    // A queue nobody here serves would let the jobs wait; they then go to "default".
    if (from.queue && value.queues.contains(*from.queue))
        to.queue = *from.queue;
}

void check_handled(const config& value, const std::vector<registration>& kinds,
                   std::vector<config_fault>& faults) {
    std::vector<std::string> names;
    for (const auto& kind : kinds)
        names.push_back(kind.kind);
    for (const auto& [name, ignored] : value.kinds) {
        if (std::find(names.begin(), names.end(), name) != names.end())
            continue;
        origin where{"kinds", 0, 0};
        for (const auto& [path, entry] : value.settings) {
            if (path.starts_with("kinds." + name + "."))
                where = entry.where;
        }
        const auto close = suggest(name, names);
        faults.push_back({severity::warning, where, "kinds." + name,
                          "a kind that a processor of this process handles", as_written(name),
                          close ? fmt::format("did you mean {}?", *close)
                                : std::string{"its settings have no effect here"}});
    }
}

}  // namespace

std::vector<registration> make_registry(const config& value, std::vector<config_fault>& faults,
                                        const std::vector<registration>& more) {
    std::vector<registration> kinds;
    for (const auto& section : sections)
        add_kinds(section, value, kinds, faults);
    kinds.insert(kinds.end(), more.begin(), more.end());

    for (auto& kind : kinds) {
        auto standard = kind_defaults(kind.kind);
        // The processor's own timeout follows the one of its transfers.
        standard.timeout = kind.options.timeout;
        standard.on_lost.reset();
        const auto set = value.kinds.find(kind.kind);
        const bool moved = set != value.kinds.end() && set->second.queue;
        // What the file says of a queue goes before what we think of a kind.
        const auto queue =
            value.queues.find(moved ? *set->second.queue : standard.queue.value_or("default"));
        if (queue != value.queues.end() && queue->second.retention)
            standard.retention = queue->second.retention;
        apply(set == value.kinds.end() ? standard : overlay(set->second, standard), value,
              kind.options);
    }
    check_handled(value, kinds, faults);
    return libqueue::processors::with_follow_ups(std::move(kinds));
}

std::string complete_dsn(const config& value, const std::string& dsn) {
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(value.database.connect_timeout).count();
    auto complete = with_parameter(dsn, "connect_timeout", fmt::format("{}", seconds));
    if (value.database.statement_timeout.count() > 0)
        complete = with_parameter(
            complete, "options",
            fmt::format("-c statement_timeout={}", value.database.statement_timeout.count()));
    return complete;
}

libqueue::worker_options make_worker_options(const config& value) {
    libqueue::worker_options options;
    options.dsn = complete_dsn(value, value.database.dsn);
    if (!value.database.listen_dsn.empty())
        options.listen_dsn = complete_dsn(value, value.database.listen_dsn);
    options.listen = value.database.listen;
    options.pooler = value.database.pooler;
    options.schema = value.database.schema;
    options.name = value.worker.name;
    for (const auto& [name, queue] : value.queues) {
        auto& made = options.queues.emplace_back(name, queue.concurrency);
        made.retention = queue.retention;
        made.dead_letter_retention = queue.dead_letter_retention;
        made.limit = queue.limit;
    }
    for (const auto& [name, figures] : value.limits) {
        auto& limit = options.limits.emplace_back(name);
        limit.burst = figures.burst;
        limit.rate = figures.rate;
        limit.concurrency = figures.concurrency;
        limit.key = figures.key;
        limit.parent = figures.parent;
        limit.breaker = figures.breaker;
    }
    for (const auto& section : sections)
        if (section.add_options != nullptr)
            section.add_options(value, options);
    options.keyring = value.encryption.ring;
    options.turn_connections = value.database.connections;
    options.threads = value.worker.threads;
    options.heartbeat = value.worker.heartbeat;
    options.lease = value.worker.lease;
    options.poll_interval = value.worker.poll_interval;
    options.drain_timeout = value.worker.drain_timeout;
    options.migrate = value.database.migrate;
    options.require_durability = value.database.require_durability;
    options.installation = value.database.installation;
    options.require_tenancy = value.tenancy.enabled;
    return options;
}

}  // namespace workerd
