#include "server/any_control.hpp"

#include "context.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"

#include <algorithm>

namespace qctl {

namespace {

using libqueue::report;
using libqueue::result;

std::string schedule_path(std::string_view name, std::string_view rest = {}) {
    return "/schedules/" + path_part(name) + std::string{rest};
}

api_request about(std::string method, std::string path, const std::optional<std::string>& tenant) {
    api_request request{std::move(method), std::move(path)};
    add(request, "tenant_id", tenant);
    return request;
}

// Of one answer; who wants more asks the database.
constexpr int most_times = 100;

result<std::vector<libqueue::time_point>> times_of(api_client& server, const api_request& request) {
    const auto rows = server.items(request);
    if (!rows) {
        return rows.error();
    }
    std::vector<libqueue::time_point> times;
    for (const auto& row : rows->rows) {
        if (const auto when = read_instant(row.at(0).value_or(""))) {
            times.push_back(*when);
        }
    }
    return times;
}

std::string schedule_body(const libqueue::new_schedule& wanted) {
    json_body body;
    body.text("cron", wanted.cron)
        .text("kind", wanted.kind)
        .raw("payload", wanted.payload)
        .text("timezone", wanted.timezone)
        .text("misfire", std::string{libqueue::to_string(wanted.when_missed)})
        .integer("misfire_grace_ms", wanted.misfire_grace.count())
        .text("overlap", std::string{libqueue::to_string(wanted.when_busy)})
        .text("queue", wanted.queue)
        .integer("priority", wanted.priority)
        .integer("max_attempts", wanted.max_attempts)
        .raw("meta", wanted.meta);
    if (wanted.when_missed == libqueue::misfire::backfill) {
        body.integer("backfill_max", wanted.backfill_max);
    }
    return body.done();
}

}  // namespace

result<std::int64_t> any_schedules::set(const libqueue::new_schedule& wanted) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.set(wanted);
    }
    auto request = about("PUT", schedule_path(wanted.name), wanted.tenant_id);
    request.body = schedule_body(wanted);
    const auto row = server->object(request);
    return row ? result<std::int64_t>{number_of(*row, "id")} : row.error();
}

result<bool> any_schedules::remove(std::string_view name, const tenant& of) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.remove(name, of);
    }
    const auto answer = server->ask(about("DELETE", schedule_path(name), of));
    if (!answer && answer.error().code == libqueue::errc::not_found) {
        return false;
    }
    return answer ? result<bool>{true} : answer.error();
}

result<void> any_schedules::pause(std::string_view name, const tenant& of) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::schedules{with_.client()}.pause(name, of)
                             : done(server->ask(about("POST", schedule_path(name, "/pause"), of)));
}

result<void> any_schedules::resume(std::string_view name, const tenant& of) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::schedules{with_.client()}.resume(name, of)
                             : done(server->ask(about("POST", schedule_path(name, "/resume"), of)));
}

result<libqueue::job_id> any_schedules::run_now(std::string_view name, const tenant& of) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.run_now(name, of);
    }
    const auto row = server->object(about("POST", schedule_path(name, "/run"), of));
    if (!row) {
        return row.error();
    }
    return number_of(*row, field_of(*row, "job_id") ? "job_id" : "id");
}

result<std::vector<libqueue::time_point>> any_schedules::next(std::string_view name, int n,
                                                              const tenant& of) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.next(name, n, of);
    }
    auto request = about("GET", schedule_path(name, "/next"), of);
    request.query.emplace_back("n", std::to_string(std::min(n, most_times)));
    return times_of(*server, request);
}

result<std::vector<libqueue::time_point>> any_schedules::preview(std::string_view cron,
                                                                 std::string_view timezone, int n) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.preview(cron, timezone, n);
    }
    api_request request{"GET", "/schedules/preview"};
    request.query = {{"cron", std::string{cron}},
                     {"timezone", std::string{timezone}},
                     {"n", std::to_string(std::min(n, most_times))}};
    return times_of(*server, request);
}

report any_schedules::list(const libqueue::schedule_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.list(filter);
    }
    auto request = about("GET", "/schedules", filter.tenant_id);
    add(request, "name", filter.name);
    add(request, "kind", filter.kind);
    add(request, "after", filter.after);
    return server->list(std::move(request), filter.limit).value();
}

result<report> any_schedules::show(std::string_view name, const tenant& of) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::schedules{with_.client()}.show(name, of)
                             : server->object(about("GET", schedule_path(name), of));
}

report any_schedules::runs(std::string_view name, int limit, const tenant& of) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::schedules{with_.client()}.runs(name, limit, of);
    }
    auto request = about("GET", schedule_path(name, "/runs"), of);
    request.query.emplace_back("n", std::to_string(std::min(limit, most_times)));
    return server->items(request).value();
}

result<std::int64_t> any_batches::create(const libqueue::new_batch& wanted) {
    return libqueue::batches{with_.client()}.create(wanted);
}

result<void> any_batches::seal(std::int64_t batch) {
    return libqueue::batches{with_.client()}.seal(batch);
}

result<libqueue::batch_cancelled> any_batches::cancel(std::int64_t batch,
                                                      const std::optional<std::string>& reason) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::batches{with_.client()}.cancel(batch, reason);
    }
    const auto row = server->object(posting("/batches/" + std::to_string(batch) + "/cancel",
                                            json_body{}.text("reason", reason).done()));
    if (!row) {
        return row.error();
    }
    libqueue::batch_cancelled answer;
    answer.cancelled = number_of(*row, "cancelled");
    answer.asked = number_of(*row, "asked");
    answer.finished = truth_of(*row, "finished");
    return answer;
}

result<libqueue::batch_counts> any_batches::counts(std::int64_t batch) {
    if (with_.server() == nullptr) {
        return libqueue::batches{with_.client()}.counts(batch);
    }
    const auto row = show(batch);
    if (!row) {
        return row.error();
    }
    libqueue::batch_counts counts;
    counts.state = libqueue::parse_batch_state(field_of(*row, "state").value_or(""))
                       .value_or(libqueue::batch_state::processing);
    counts.total = number_of(*row, "total");
    counts.succeeded = number_of(*row, "succeeded");
    counts.failed = number_of(*row, "failed");
    counts.cancelled = number_of(*row, "cancelled");
    counts.sealed = truth_of(*row, "sealed");
    counts.finished = field_of(*row, "finished_at").has_value();
    return counts;
}

report any_batches::list(const libqueue::batch_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::batches{with_.client()}.list(filter);
    }
    auto request = about("GET", "/batches", filter.tenant_id);
    add(request, "name", filter.name);
    if (filter.unfinished_only) {
        request.query.emplace_back("unfinished", "true");
    }
    add(request, "before", filter.before);
    return server->list(std::move(request), filter.limit).value();
}

result<report> any_batches::show(std::int64_t batch) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::batches{with_.client()}.show(batch)
                             : server->object({"GET", "/batches/" + std::to_string(batch)});
}

result<report> any_batches::items(std::int64_t batch, const libqueue::batch_item_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::batches{with_.client()}.items(batch, filter);
    }
    api_request request{"GET", "/batches/" + std::to_string(batch) + "/items"};
    if (filter.state) {
        request.query.emplace_back("state", libqueue::to_string(*filter.state));
    }
    add(request, "after", filter.after);
    return server->list(std::move(request), filter.limit);
}

result<int> any_topics::publish(const libqueue::new_event& event) {
    return libqueue::topics{with_.client()}.publish(event);
}

result<std::int64_t> any_topics::subscribe(const libqueue::new_subscription& wanted) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::topics{with_.client()}.subscribe(wanted);
    }
    json_body body;
    body.text("pattern", wanted.pattern)
        .text("kind", wanted.kind)
        .text("queue", wanted.queue)
        .integer("priority", wanted.priority)
        .integer("max_attempts", wanted.max_attempts)
        .text("filter", wanted.filter)
        .text("ordering_key_path", wanted.ordering_key_path)
        .text("tenant_id", wanted.tenant_id);
    if (wanted.delay) {
        body.integer("delay_ms", wanted.delay->count());
    }
    const auto row = server->object(posting("/subscriptions", body.done()));
    return row ? result<std::int64_t>{number_of(*row, "id")} : row.error();
}

result<bool> any_topics::unsubscribe(std::string_view pattern, std::string_view kind,
                                     const std::optional<std::string>& tenant_id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::topics{with_.client()}.unsubscribe(pattern, kind, tenant_id);
    }
    // The API names a subscription by its id; people know its pattern and kind.
    libqueue::subscription_filter filter;
    filter.pattern = pattern;
    filter.kind = kind;
    filter.tenant_id = tenant_id;
    bool any = false;
    for (const auto& row : list(filter).rows) {
        const auto answer = server->ask({"DELETE", "/subscriptions/" + row.at(0).value_or("")});
        if (!answer && answer.error().code != libqueue::errc::not_found) {
            return answer.error();
        }
        any = any || answer;
    }
    return any;
}

report any_topics::list(const libqueue::subscription_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::topics{with_.client()}.list(filter);
    }
    auto request = about("GET", "/subscriptions", filter.tenant_id);
    add(request, "pattern", filter.pattern);
    add(request, "kind", filter.kind);
    add(request, "after", filter.after);
    return server->list(std::move(request), filter.limit).value();
}

result<report> any_topics::subscribers(const libqueue::new_event& event) {
    return libqueue::topics{with_.client()}.subscribers(event);
}

report any_topics::unrouted(int limit) {
    if (auto* const server = with_.server()) {
        constexpr int most = 500;
        api_request request{"GET", "/subscriptions/unrouted"};
        request.query.emplace_back("limit", std::to_string(std::min(limit, most)));
        return server->items(request).value();
    }
    return libqueue::topics{with_.client()}.unrouted(limit);
}

result<std::int64_t> any_topics::forget_unrouted(const std::optional<std::string>& topic) {
    return libqueue::topics{with_.client()}.forget_unrouted(topic);
}

namespace {

std::string limit_path(std::string_view name, std::string_view rest = {}) {
    return "/limits/" + path_part(name) + std::string{rest};
}

std::optional<std::int64_t> whole(const std::optional<int>& value) {
    return value ? std::optional<std::int64_t>{*value} : std::nullopt;
}

}  // namespace

result<void> any_limits::set(const libqueue::limit_change& change) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::limit_control{with_.client()}.set(change);
    }
    json_body body;
    body.integer("burst", whole(change.burst))
        .number("rate", change.rate)
        .integer("concurrency", whole(change.concurrency))
        .text("key", change.key)
        .text("parent", change.parent)
        .number("breaker_ratio", change.breaker_ratio)
        .integer("breaker_min_requests", whole(change.breaker_min_requests))
        .boolean("pinned", change.pinned);
    if (change.breaker_window) {
        body.integer("breaker_window_ms", change.breaker_window->count());
    }
    if (change.breaker_cooldown) {
        body.integer("breaker_cooldown_ms", change.breaker_cooldown->count());
    }
    api_request request{"PUT", limit_path(change.name)};
    request.body = body.done();
    return done(server->ask(request));
}

result<void> any_limits::close(std::string_view name, std::string_view key,
                               std::chrono::microseconds retry_after, std::string_view reason) {
    return libqueue::limit_control{with_.client()}.close(name, key, retry_after, reason);
}

result<std::int64_t> any_limits::reset(std::string_view name,
                                       const std::optional<std::string>& key) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::limit_control{with_.client()}.reset(name, key);
    }
    const auto row =
        server->object(posting(limit_path(name, "/reset"), json_body{}.text("key", key).done()));
    return row ? result<std::int64_t>{number_of(*row, "reset")} : row.error();
}

result<void> any_limits::stop(std::string_view name, std::string_view reason) {
    auto* const server = with_.server();
    return server == nullptr
               ? libqueue::limit_control{with_.client()}.stop(name, reason)
               : done(server->ask(posting(limit_path(name, "/stop"),
                                          json_body{}.text("reason", std::string{reason}).done())));
}

result<void> any_limits::resume(std::string_view name) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::limit_control{with_.client()}.resume(name)
                             : done(server->ask(posting(limit_path(name, "/resume"))));
}

result<report> any_limits::list(const std::optional<std::string>& name) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::limit_control{with_.client()}.list(name);
    }
    return server->items({"GET", name ? limit_path(*name) : std::string{"/limits"}});
}

}  // namespace qctl
