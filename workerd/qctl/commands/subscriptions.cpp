#include "commands/commands.hpp"
#include "confirm.hpp"
#include "payload.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"

// The verbs of the group topics. (topics.cpp has those of help.)

namespace qctl {

namespace {

std::optional<std::chrono::milliseconds> delay_of(const invocation& call) {
    const auto delay = call.text("delay");
    return delay ? std::optional{read_duration(*delay, "--delay")} : std::nullopt;
}

void print_subscription_result(context& with, const libqueue::new_subscription& one,
                               const std::string& what) {
    row_builder row;
    row.text("pattern", one.pattern).text("kind", one.kind).text("result", what);
    with.print_result(
        "subscription of " + printable(one.kind) + " to " + printable(one.pattern) + ": " + what,
        row.done());
}

}  // namespace

exit_code run_topics_list(context& with) {
    libqueue::subscription_filter filter;
    const auto& call = with.call;
    filter.pattern = call.text("pattern");
    filter.kind = call.text("kind");
    filter.tenant_id = call.text("tenant");
    if (const auto after = call.text("after")) {
        filter.after = read_id(*after, "--after");
    }
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10'000));
    }
    const auto rows = with.topics().list(filter);
    with.print_list(rows);
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: --after " + std::to_string(*rows.next));
    } else if (rows.rows.empty()) {
        with.notes.note("no subscriptions match");
    }
    return exit_code::ok;
}

exit_code run_topics_publish(context& with) {
    const auto& call = with.call;
    libqueue::new_event event{call.arguments[0]};
    if (call.arguments.size() > 1) {
        event.payload = read_payload(call.arguments[1], "PAYLOAD");
    }
    event.tenant_id = call.text("tenant");
    event.delay = delay_of(call);
    event.idempotency_key = call.text("idempotency-key");
    if (with.options.dry_run) {
        with.print_list(unwrapped(with.topics().subscribers(event)));
        return exit_code::ok;
    }
    const int jobs = unwrapped(with.topics().publish(event));
    row_builder row;
    row.text("topic", event.topic).integer("jobs", jobs);
    with.print_result("topic " + printable(event.topic) + ": " + counted(jobs, "job", "jobs"),
                      row.done());
    flush_output();
    if (jobs == 0) {
        with.notes.note("qctl topics unrouted lists what nobody hears");
    }
    return exit_code::ok;
}

exit_code run_topics_subscribe(context& with) {
    const auto& call = with.call;
    libqueue::new_subscription wanted{call.arguments[0], call.arguments[1]};
    wanted.queue = call.text("queue");
    wanted.filter = call.text("filter");
    wanted.tenant_id = call.text("tenant");
    wanted.delay = delay_of(call);
    wanted.ordering_key_path = call.text("ordering-key-path");
    if (const auto priority = call.text("priority")) {
        wanted.priority = static_cast<int>(read_integer(*priority, "--priority", -32768, 32767));
    }
    if (const auto attempts = call.text("max-attempts")) {
        wanted.max_attempts = static_cast<int>(read_integer(*attempts, "--max-attempts", 1, 1000));
    }
    if (!with.options.dry_run) {
        static_cast<void>(unwrapped(with.topics().subscribe(wanted)));
    }
    print_subscription_result(with, wanted, with.options.dry_run ? "would be set" : "set");
    return exit_code::ok;
}

exit_code run_topics_unsubscribe(context& with) {
    const auto& call = with.call;
    const libqueue::new_subscription one{call.arguments[0], call.arguments[1]};
    const std::string name = one.pattern + " " + one.kind;
    demand_consent(with.options, danger::moderate, name);
    if (!with.options.dry_run) {
        ask_consent(with.options, danger::moderate, name,
                    "remove the subscription of " + one.kind + " to " + one.pattern);
        if (!unwrapped(with.topics().unsubscribe(one.pattern, one.kind, call.text("tenant")))) {
            throw to_stop(
                libqueue::error{libqueue::errc::not_found,
                                "no subscription of " + one.kind + " to '" + one.pattern + "'"});
        }
    }
    print_subscription_result(with, one, with.options.dry_run ? "would be removed" : "removed");
    return exit_code::ok;
}

exit_code run_topics_unrouted(context& with) {
    const auto limit = with.call.text("limit");
    const auto rows = with.topics().unrouted(
        limit ? static_cast<int>(read_integer(*limit, "--limit", 1, 10'000)) : 100);
    with.print_list(rows);
    flush_output();
    if (with.call.has("forget") && !with.options.dry_run) {
        for (const auto& row : rows.rows) {
            static_cast<void>(unwrapped(with.topics().forget_unrouted(row.at(0))));
        }
    }
    return exit_code::ok;
}

}  // namespace qctl
