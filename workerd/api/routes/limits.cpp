#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/limits.hpp>

#include <algorithm>
#include <array>

namespace workerd::api {

namespace {

using libqueue::limit_control;

// What people set, and not what moves by itself: tokens, running jobs, circuits.
constexpr std::array<std::string_view, 12> set_columns{"name",
                                                       "burst",
                                                       "rate",
                                                       "concurrency",
                                                       "parent",
                                                       "key_from",
                                                       "stopped",
                                                       "breaker_ratio",
                                                       "pinned",
                                                       "breaker_min_requests",
                                                       "breaker_window_ms",
                                                       "breaker_cooldown_ms"};

std::string tag_of(const libqueue::report& of) {
    std::string text;
    for (std::size_t i = 0; i < of.columns.size(); ++i)
        if (!of.rows.empty() &&
            std::ranges::find(set_columns, of.columns[i].name) != set_columns.end())
            text += of.rows.front()[i].value_or("") + '\n';
    return text;
}

answer list_limits(api_call& call) {
    return reply_list(limit_control{call.database()}.list().value());
}

answer shown(api_call& call, const std::string& name) {
    const auto found = limit_control{call.database()}.list(name).value();
    auto made = reply_list(found);
    made.tag = tag_of(found);
    return made;
}

answer show_limit(api_call& call) {
    return shown(call, call.name());
}

answer put_limit(api_call& call) {
    libqueue::limit_change change{call.name()};
    const auto whole = [&](std::string_view member) {
        const auto value = call.member_integer(member);
        return value ? std::optional{static_cast<int>(*value)} : std::nullopt;
    };
    const auto span = [&](std::string_view member) {
        const auto value = call.member_integer(member);
        return value ? std::optional{std::chrono::milliseconds{*value}} : std::nullopt;
    };
    change.burst = whole("burst");
    change.rate = call.member_number("rate");
    change.concurrency = whole("concurrency");
    change.key = call.member_text("key");
    change.parent = call.member_text("parent");
    change.breaker_ratio = call.member_number("breaker_ratio");
    change.breaker_min_requests = whole("breaker_min_requests");
    change.breaker_window = span("breaker_window_ms");
    change.breaker_cooldown = span("breaker_cooldown_ms");
    change.pinned = call.member_flag("pinned").value_or(true);
    limit_control{call.database()}.set(change).value();
    return shown(call, call.name());
}

answer stop_limit(api_call& call) {
    limit_control{call.database()}
        .stop(call.name(), call.member_text("reason").value_or(""))
        .value();
    return shown(call, call.name());
}

answer resume_limit(api_call& call) {
    limit_control{call.database()}.resume(call.name()).value();
    return shown(call, call.name());
}

answer count_of(std::int64_t count) {
    boost::json::object body;
    body["reset"] = count;
    return reply_json(body);
}

answer reset_limit(api_call& call) {
    return count_of(
        limit_control{call.database()}.reset(call.name(), call.member_text("key")).value());
}

// "stripe" is a limit, "stripe:acct_1" one of its buckets.
std::pair<std::string, std::optional<std::string>> limit_and_key(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos)
        return {text, std::nullopt};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

answer rate_status(api_call& call) {
    const auto [name, key] = limit_and_key(call.name("key"));
    auto found = limit_control{call.database()}.list(name).value();
    if (key) {
        const auto place = std::ranges::find(found.columns, "key", &libqueue::column::name);
        const auto at = static_cast<std::size_t>(place - found.columns.begin());
        const auto& wanted = *key;
        std::erase_if(found.rows, [&](const auto& row) { return row.at(at) != wanted; });
    }
    return reply_list(found);
}

answer rate_reset(api_call& call) {
    const auto [name, key] = limit_and_key(call.name("key"));
    return count_of(limit_control{call.database()}.reset(name, key).value());
}

constexpr std::array limit_body{
    field{"burst", value_type::integer, "Tokens of a full bucket; 0: one second's worth.", false, 0,
          1'000'000},
    field{"rate", value_type::number, "Tokens per second; 0: not limited so.", false, 0, 100'000},
    field{"concurrency", value_type::integer, "Running at once; 0: not limited so.", false, 0,
          1'000'000},
    field{"key", value_type::text, "tenant, limit_key or meta.<field>; empty: one for all.", false,
          0, 128},
    field{"parent", value_type::text, "The limit above; empty: none.", false, 0, 64},
    field{"breaker_ratio", value_type::number, "Opens when so many fail; 0: no breaker.", false, 0,
          1},
    field{"breaker_min_requests", value_type::integer, "Fewer say nothing.", false, 1, 1'000'000},
    field{"breaker_window_ms", value_type::integer, "", false, 1'000, 86'400'000},
    field{"breaker_cooldown_ms", value_type::integer, "", false, 100, 86'400'000},
    field{"pinned", value_type::boolean,
          "Workers that start leave it as it is; true unless given."},
};
constexpr std::array reason{
    field{"reason", value_type::text, "For people.", false, 0, 1000},
};
constexpr std::array reset_body{
    field{"key", value_type::text, "One bucket; all unless given.", false, 0, 512},
};

constexpr std::array rows{
    route{.path = "/limits",
          .right = "limits.read",
          .summary = "Limits and what is left of them, one row per key in use.",
          .answers = shape::list,
          .run = list_limits},
    route{.path = "/limits/{name}",
          .right = "limits.read",
          .summary = "One limit, a row per key in use.",
          .answers = shape::list,
          .tagged = true,
          .run = show_limit},
    route{.method = verb::put,
          .path = "/limits/{name}",
          .right = "limits.change",
          .summary = "Define or change a limit; what is not given stays.",
          .body = limit_body,
          .answers = shape::list,
          .tagged = true,
          .run = put_limit},
    route{.method = verb::post,
          .path = "/limits/{name}/stop",
          .right = "limits.change",
          .summary = "Nothing under the limit starts any more, anywhere.",
          .body = reason,
          .answers = shape::list,
          .run = stop_limit},
    route{.method = verb::post,
          .path = "/limits/{name}/resume",
          .right = "limits.change",
          .summary = "End a stop.",
          .answers = shape::list,
          .run = resume_limit},
    route{.method = verb::post,
          .path = "/limits/{name}/reset",
          .right = "limits.change",
          .summary = "Fill buckets and close circuits.",
          .body = reset_body,
          .run = reset_limit},
    route{.path = "/rate-limits/status/{key}",
          .right = "limits.read",
          .summary = "A limit (`stripe`) or one of its buckets (`stripe:acct_1`).",
          .answers = shape::list,
          .run = rate_status},
    route{.method = verb::post,
          .path = "/rate-limits/reset/{key}",
          .right = "limits.change",
          .summary = "Fill the buckets of a limit, or one of them.",
          .run = rate_reset},
};

}  // namespace

std::span<const route> limit_routes() {
    return rows;
}

}  // namespace workerd::api
