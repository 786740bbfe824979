#include "commands/commands.hpp"
#include "confirm.hpp"
#include "faults.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "values.hpp"

#include <libqueue/limits.hpp>

#include <chrono>
#include <limits>
#include <optional>
#include <utility>

namespace qctl {

namespace {

template <typename Value>
Value unwrapped(libqueue::result<Value> answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
    return std::move(*answer);
}

void demand_done(const libqueue::result<void>& answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
}

any_limits control(context& with) {
    return with.limits();
}

void print_limit_result(context& with, const std::string& name, const std::string& what) {
    row_builder row;
    row.text("limit", name).text("result", what);
    with.print_result("limit " + printable(name) + ": " + what, row.done());
}

// A dry run still finds out whether there is such a limit.
bool only_planned(context& with, const std::string& name, const std::string& what) {
    if (!with.options.dry_run) {
        return false;
    }
    static_cast<void>(unwrapped(control(with).list(name)));
    print_limit_result(with, name, "would be " + what);
    return true;
}

std::optional<int> number(context& with, const char* flag) {
    const auto text = with.call.text(flag);
    if (!text) {
        return std::nullopt;
    }
    return static_cast<int>(
        read_integer(*text, std::string{"--"} + flag, 0, std::numeric_limits<int>::max()));
}

std::optional<std::chrono::milliseconds> duration(context& with, const char* flag) {
    const auto text = with.call.text(flag);
    return text ? std::optional{read_duration(*text, std::string{"--"} + flag)} : std::nullopt;
}

}  // namespace

exit_code run_limits_list(context& with) {
    const auto& names = with.call.arguments;
    with.print_list(unwrapped(control(with).list(
        names.empty() ? std::nullopt : std::optional<std::string>{names.front()})));
    return exit_code::ok;
}

exit_code run_limits_set(context& with) {
    libqueue::limit_change change{with.call.arguments[0]};
    change.burst = number(with, "burst");
    change.concurrency = number(with, "concurrency");
    change.key = with.call.text("key");
    change.parent = with.call.text("parent");
    if (const auto percent = number(with, "breaker-percent")) {
        change.breaker_ratio = *percent / 100.0;
    }
    change.breaker_min_requests = number(with, "breaker-requests");
    change.breaker_window = duration(with, "breaker-window");
    change.breaker_cooldown = duration(with, "breaker-cooldown");
    change.pinned = !with.call.has("unpin");
    if (const auto rate = with.call.text("rate")) {
        const auto parsed = libqueue::parse_rate(*rate);
        if (!parsed) {
            throw usage("--" + parsed.error().message, parsed.error().hint);
        }
        change.rate = *parsed;
    }
    if (with.options.dry_run) {
        print_limit_result(with, change.name, "would be set");
        return exit_code::ok;
    }
    demand_done(control(with).set(change));
    print_limit_result(with, change.name, "set");
    return exit_code::ok;
}

exit_code run_limits_reset(context& with) {
    const auto& name = with.call.arguments[0];
    if (only_planned(with, name, "reset")) {
        return exit_code::ok;
    }
    const auto filled = unwrapped(control(with).reset(name, with.call.text("key")));
    print_limit_result(with, name, "filled " + counted(filled, "bucket", "buckets"));
    return exit_code::ok;
}

exit_code run_limits_close(context& with) {
    const auto& name = with.call.arguments[0];
    if (only_planned(with, name, "closed")) {
        return exit_code::ok;
    }
    constexpr std::chrono::seconds usual{30};
    demand_done(control(with).close(name, with.call.text("key").value_or(""),
                                    duration(with, "for").value_or(usual),
                                    with.call.text("reason").value_or("")));
    print_limit_result(with, name, "closed");
    return exit_code::ok;
}

exit_code run_limits_stop(context& with) {
    const auto& name = with.call.arguments[0];
    demand_consent(with.options, danger::moderate, name);
    if (only_planned(with, name, "stopped")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name,
                "start nothing under limit " + printable(name));
    demand_done(control(with).stop(name, with.call.text("reason").value_or("")));
    print_limit_result(with, name, "stopped");
    flush_output();
    with.notes.note("go on with: qctl limits resume " + name);
    return exit_code::ok;
}

exit_code run_limits_resume(context& with) {
    const auto& name = with.call.arguments[0];
    if (only_planned(with, name, "resumed")) {
        return exit_code::ok;
    }
    demand_done(control(with).resume(name));
    print_limit_result(with, name, "resumed");
    return exit_code::ok;
}

}  // namespace qctl
