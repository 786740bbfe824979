#include "dlq_filter.hpp"

#include "stop.hpp"
#include "values.hpp"

namespace qctl {

namespace {

/// Of one page.
constexpr int most_rows = 10'000;

}  // namespace

dlq_choice read_dlq_choice(const invocation& call, time_point now) {
    dlq_choice choice;
    auto& filter = choice.filter;
    for (const auto& argument : call.arguments) {
        filter.ids.push_back(read_id(argument, "ID"));
    }
    choice.by_id = !filter.ids.empty();
    filter.queue = call.text("queue");
    filter.kind = call.text("kind");
    filter.tenant_id = call.text("tenant");
    filter.error_like = call.text("error");
    filter.fingerprint = call.text("fingerprint");
    if (const auto since = call.text("since")) {
        filter.since = read_past(*since, "--since", now);
    }
    if (const auto until = call.text("until")) {
        filter.until = read_past(*until, "--until", now);
    }
    if (const auto before = call.text("before")) {
        filter.before = read_id(*before, "--before");
    }
    // The limit of an export is of all its pages together.
    if (const auto limit = call.text("limit"); limit && call.leaf->id != verb::dlq_export) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, most_rows));
    }
    choice.by_filter = filter.queue || filter.kind || filter.tenant_id || filter.error_like ||
                       filter.fingerprint || filter.since || filter.until;
    if (choice.by_id && choice.by_filter) {
        throw usage("expected ids or a filter, got both");
    }
    return choice;
}

void demand_choice(const invocation& call, const dlq_choice& choice) {
    const bool all = call.has("all");
    if (all && (choice.by_id || choice.by_filter)) {
        throw usage("--all: not together with ids or a filter");
    }
    if (!all && !choice.by_id && !choice.by_filter) {
        throw usage("expected ids, a filter or --all, got nothing",
                    "qctl dlq list shows what there is; --all takes everything");
    }
}

}  // namespace qctl
