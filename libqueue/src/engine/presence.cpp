#include "engine/presence.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "engine/maintenance.hpp"
#include "engine/runtime.hpp"
#include "store/host_name.hpp"
#include "store/server_check.hpp"

#include <libqueue/migrate.hpp>
#include <libqueue/version.hpp>
#include <sql/commit_without_wait.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace libqueue::engine {
namespace {

constexpr std::chrono::milliseconds reconnect_pause_max{200};
constexpr std::string_view refusal{"refused: "};

// Of heartbeat.
constexpr int live_lines{7};
constexpr int live_schedule_at{8};
constexpr int live_schedule_wait{9};
constexpr int live_batches{10};
constexpr int live_asked{11};

constexpr std::string_view listen_refused{
    "listen_dsn: expected a session of one's own for LISTEN, got a pooler; hint: set listen_dsn to "
    "a direct connection, or listen to false, or pooler to session if it is one in session mode"};

/// Others count the beats: a connect that hangs must leave time for another.
std::chrono::milliseconds connect_time(std::chrono::milliseconds lease) {
    return std::clamp<std::chrono::milliseconds>(lease / 3, std::chrono::seconds{2},
                                                 std::chrono::seconds{10});
}

std::string slots_json(const runtime& shared) {
    boost::json::object slots;
    for (const auto& queue : shared.queues) {
        boost::json::object one;
        one["running"] = queue->running;
        one["concurrency"] = queue->concurrency;
        slots[queue->name] = std::move(one);
    }
    return boost::json::serialize(slots);
}

std::string rate_text(double per_second) {
    std::array<char, 64> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), per_second);
    LIBQUEUE_ASSERT(ec == std::errc{});
    return {digits.data(), end};
}

void add_duration(pg::params& to, const std::optional<std::chrono::milliseconds>& value) {
    value ? to.number(value->count()) : to.null();
}

}  // namespace

pg::params kind_params(const registration& kind) {
    const kind_options& published = kind.options;
    pg::params p;
    p.text(kind.kind).text(published.queue.empty() ? "default" : published.queue);
    p.int4(published.priority.value_or(limits::priority_default));
    p.int4(published.max_attempts).int4(published.crash_budget);
    p.text(to_string(published.on_lost));
    add_duration(p, published.retention);
    p.boolean(published.encrypted);
    return p;
}

bool has_kind_keeping(const registration& kind) {
    const kind_options& o = kind.options;
    return o.cancelled_retention || o.dead_letter_retention || o.archive;
}

pg::params kind_keeping_params(const registration& kind) {
    pg::params p;
    p.text(kind.kind);
    add_duration(p, kind.options.cancelled_retention);
    add_duration(p, kind.options.dead_letter_retention);
    p.text(kind.options.archive);
    return p;
}

presence::presence(runtime& shared, maintenance& upkeep)
    : shared_{shared}, upkeep_{upkeep}, connection_{shared.io}, alarm_{shared.io}, log_{shared} {
    shared_.beat_soon = [this] {
        urgent_ = true;
        wake();
    };
}

void presence::wake() {
    alarm_.cancel();
    connection_.cancel_wait();
}

boost::asio::awaitable<void> presence::run() {
    while (!shared_.stopping) {
        std::unique_ptr<pg::sql_failure> failed;
        try {
            co_await serve();
        } catch (const pg::sql_failure& why) {
            failed = std::make_unique<pg::sql_failure>(why);
        }
        if (failed != nullptr) {
            // Once per loss; but a server that is back and must not be used is news.
            const bool refused = std::string_view{failed->what()}.starts_with(refusal);
            if (!lost_reported_ || (refused && refused_ != failed->what())) {
                shared_.report(event_type::database_lost, failed->what());
                lost_reported_ = true;
            }
            refused_ = refused ? failed->what() : "";
            connection_.close();
            if (!failed->poisons_connection() && !failed->retryable()) {
                log_.drop();
            }
            upkeep_.forget_workers();
            // Others count the beats: a lost connection alone must not cost many.
            alarm_.expires_after(std::min<std::chrono::milliseconds>(
                reconnect_pause_max, shared_.options.heartbeat / 4));
            co_await alarm_.async_wait(use_ec);
        }
    }
}

boost::asio::awaitable<void> presence::serve() {
    const worker_options& options = shared_.options;
    const bool apart = !options.listen_dsn.empty();
    const std::string& dsn = apart ? options.listen_dsn : options.dsn;
    if (!connection_.is_open()) {
        co_await connection_.connect(
            dsn, "libqueue worker presence", connect_time(options.lease),
            apart && options.pooler == pooling::transaction ? pooling::detect : options.pooler);
        if (options.listen && connection_.pooled()) {
            throw pg::sql_failure{std::string{listen_refused}, {}, true, false, {}};
        }
        if (!schema_ready_) {
            co_await prepare_schema();
        }
        co_await check_server();
        if (!connection_.pooled()) {
            // A beat need not outlive a crash. Waiting for a standby that is away, it would not be
            // seen either, and workers would declare each other dead.
            connection_.send_text("SET synchronous_commit = off");
        }
        if (options.listen) {
            connection_.send_text("LISTEN \"" + options.schema + ".wake\"");
        }
        co_await connection_.run();
        if (shared_.worker_id != 0 && options.listen) {
            pg::params id;
            id.int8(shared_.worker_id);
            connection_.send(shared_.sql.take_session_lock, id);
            co_await connection_.run();
        }
        if (lost_reported_) {
            shared_.report(event_type::database_back, "");
            lost_reported_ = false;
        }
    }
    if (shared_.worker_id == 0) {
        co_await enroll();
    }
    const bool alive = co_await beat();
    if (!alive) {
        shared_.report(event_type::worker_lost, "declared dead by another worker");
        shared_.worker_id = 0;
        shared_.public_worker_id.store(0);
        shared_.lose_everything();
        co_return;
    }
    co_await wait_for_news(clock::now() + options.heartbeat);
}

/// Blocks the loop: nothing runs before the schema is there.
boost::asio::awaitable<void> presence::prepare_schema() {
    migrate_options wanted;
    wanted.dsn =
        shared_.options.listen_dsn.empty() ? shared_.options.dsn : shared_.options.listen_dsn;
    wanted.schema = shared_.options.schema;
    std::string problem;
    if (shared_.options.migrate) {
        const auto done = migrate(wanted, shared_.options.migration_sets);
        if (done.has_error()) {
            problem = done.error().message;
        } else if (!done.value().empty()) {
            shared_.report(event_type::schema_migrated, "",
                           static_cast<std::int64_t>(done.value().size()));
        }
    }
    if (!problem.empty()) {
        throw pg::sql_failure{problem, {}, true, false, {}};
    }
    schema_ready_ = true;
    co_return;
}

/// With every connection: a failover may have led to another server.
boost::asio::awaitable<void> presence::check_server() {
    const pg::params none;
    connection_.send(shared_.sql.check_server, none);
    const std::vector<pg::result> results = co_await connection_.run();
    const store::server_facts facts{results.at(0)};
    const store::server_terms terms{shared_.options.require_durability,
                                    shared_.options.installation, shared_.options.require_tenancy};
    const auto judged = store::judge_server(facts, terms);
    if (judged.has_error()) {
        throw pg::sql_failure{
            std::string{refusal} + judged.error().message, {}, true, false, judged.error().hint};
    }
    if (!judged->empty() && *judged != warned_) {
        shared_.report(event_type::server_unsafe, *judged);
    }
    warned_ = *judged;
}

boost::asio::awaitable<void> presence::enroll() {
    const worker_options& options = shared_.options;
    for (const auto& queue : shared_.queues) {
        pg::params name;
        name.text(queue->name);
        connection_.send(shared_.sql.ensure_queue, name);
    }
    send_limits();
    for (const auto& [name, kind] : shared_.kinds) {
        connection_.send(shared_.sql.publish_kind, kind_params(*kind->handler));
        if (has_kind_keeping(*kind->handler)) {
            connection_.send(shared_.sql.set_kind_keeping, kind_keeping_params(*kind->handler));
        }
    }
    for (const queue_options& queue : options.queues) {
        pg::params p;
        p.text(queue.name);
        add_duration(p, queue.retention);
        add_duration(p, queue.dead_letter_retention);
        connection_.send(shared_.sql.set_queue_retention, p);
    }
    std::vector<std::string> queues;
    std::vector<std::string> kinds;
    for (const auto& queue : shared_.queues) {
        queues.push_back(queue->name);
    }
    for (const auto& [name, kind] : shared_.kinds) {
        kinds.push_back(name);
    }
    const std::string host = store::host_name();
    const auto pid = static_cast<std::int32_t>(::getpid());
    pg::params p;
    p.text(options.name.empty() ? host + ":" + std::to_string(pid)
                                : core::storable_text(options.name, limits::worker_name_bytes));
    p.text(host).int4(pid).text(version).text_array(queues).text_array(kinds);
    p.int4(static_cast<std::int32_t>(options.heartbeat.count()));
    p.int4(static_cast<std::int32_t>(options.lease.count()));
    connection_.send(shared_.sql.assign_limits, limits_in_use());
    connection_.send(shared_.sql.register_worker, p);
    connection_.pass(pg::failpoint::register_before_commit);
    const std::vector<pg::result> results = co_await connection_.run();
    connection_.pass(pg::failpoint::register_after_commit);
    report_undefined(results.at(results.size() - 2));
    for (std::size_t at = 0; at < shared_.queues.size(); ++at) {
        shared_.queues[at]->id = results.at(at).binary_int32(0, 0);
    }
    const std::int64_t id = results.back().binary_int64(0, 0);
    known_lines_ = -1;  // the queues may be new
    if (options.listen) {
        pg::params lock;
        lock.int8(id);
        connection_.send(shared_.sql.take_session_lock, lock);
        co_await connection_.run();
    }
    shared_.worker_id = id;
    shared_.public_worker_id.store(id);
    shared_.report(event_type::worker_started, options.name);
}

/// In order of their names: two workers that start at once lock rows in the same order.
void presence::send_limits() {
    std::map<std::string, const limit_options*> sorted;
    for (const limit_options& one : shared_.options.limits) {
        sorted.insert_or_assign(one.name, &one);
    }
    for (const auto& [name, figures] : sorted) {
        pg::params p;
        p.text(name).int4(figures->burst).text(rate_text(figures->rate));
        p.int4(figures->concurrency).text(figures->key).text(figures->parent);
        if (const auto& breaker = figures->breaker; breaker.has_value()) {
            p.text(rate_text(breaker->ratio)).int4(breaker->min_requests);
            p.number(breaker->window.count()).number(breaker->cooldown.count());
        } else {
            p.text("0").null().null().null();
        }
        connection_.send(shared_.sql.publish_limit, p);
    }
}

pg::params presence::limits_in_use() const {
    std::vector<std::string> kinds;
    std::vector<std::string> kind_limits;
    for (const auto& [name, kind] : shared_.kinds) {
        kinds.push_back(name);
        kind_limits.push_back(kind->handler->options.limit);
    }
    std::vector<std::string> queues;
    std::vector<std::string> queue_limits;
    for (const queue_options& queue : shared_.options.queues) {
        queues.push_back(queue.name);
        queue_limits.push_back(queue.limit);
    }
    pg::params p;
    p.text_array(kinds).text_array(kind_limits).text_array(queues).text_array(queue_limits);
    return p;
}

void presence::report_undefined(const pg::result& limits) const {
    for (int row = 0; row < limits.rows(); ++row) {
        shared_.report(event_type::internal_error,
                       "limit " + std::string{limits.text(row, 0)} +
                           " is not defined: nothing under it starts; define it in the "
                           "configuration or with qctl limits set");
    }
}

void presence::send_progress() {
    std::vector<std::int64_t> jobs;
    std::vector<std::optional<std::string>> owned;
    std::vector<std::string> fractions;
    for (const run_ptr& run : shared_.running) {
        if (auto latest = run->take_progress(); latest.has_value()) {
            jobs.push_back(run->job.id);
            fractions.push_back(std::to_string(latest->fraction));
            owned.emplace_back(core::storable_text(latest->text, limits::note_bytes));
        }
    }
    if (jobs.empty()) {
        return;
    }
    std::vector<std::optional<std::string_view>> messages;
    for (const auto& text : owned) {
        messages.emplace_back(text);
    }
    pg::params p;
    p.int8_array(jobs).text_array(fractions).text_array(messages);
    connection_.send(shared_.sql.put_progress, p);
}

boost::asio::awaitable<void> presence::read_lines() {
    std::vector<std::int32_t> ids;
    for (const auto& queue : shared_.queues) {
        ids.push_back(queue->id);
    }
    pg::params p;
    p.int4_array(ids);
    connection_.send(shared_.sql.list_lines, p);
    const std::vector<pg::result> results = co_await connection_.run();
    set_lines(results.at(0));
}

boost::asio::awaitable<bool> presence::beat() {
    urgent_ = false;
    pg::params p;
    p.int8(shared_.worker_id).int4(static_cast<std::int32_t>(shared_.running.size()));
    const bool quiet = shared_.paused.load() || shared_.wish != operator_wish::none;
    p.text(shared_.draining ? "draining" : (quiet ? "paused" : "running"));
    p.text(slots_json(shared_));
    const std::optional<std::int64_t> floor = upkeep_.schedules().floor();
    floor ? p.int8(*floor) : p.null();
    const std::optional<std::int64_t> folded = upkeep_.batches().floor();
    folded ? p.int8(*folded) : p.null();
    const auto asked_at = clock::now();
    if (connection_.pooled()) {
        connection_.send_text(std::string{sql::commit_without_wait});
    }
    connection_.send(shared_.sql.heartbeat, p);
    std::vector<std::int64_t> running;
    for (const run_ptr& run : shared_.running) {
        running.push_back(run->job.id);
    }
    if (!running.empty()) {
        pg::params jobs;
        jobs.int8_array(running);
        connection_.send(shared_.sql.find_cancel_requests, jobs);
    }
    send_progress();
    log_.send(connection_);
    connection_.pass(pg::failpoint::heartbeat_before_commit);
    const std::vector<pg::result> results = co_await connection_.run();
    connection_.pass(pg::failpoint::heartbeat_after_commit);
    urgent_ = log_.committed() || urgent_;
    if (results.at(0).rows() == 0) {
        co_return false;
    }
    const bool first = shared_.last_beat == clock::time_point{};
    shared_.last_beat = asked_at;
    shared_.last_beat_ms.store(
        std::chrono::duration_cast<std::chrono::milliseconds>(asked_at.time_since_epoch()).count());
    schedule_sight schedules{asked_at};
    schedules.everywhere = !floor.has_value();
    hand_on(results.at(0), schedules);
    heed(results.at(0).is_null(0, live_asked) ? "" : results.at(0).text(0, live_asked));
    // Lines are opened and never closed, so their number says whether there are new ones.
    if (const std::int64_t lines = results.at(0).binary_int64(0, live_lines);
        lines != known_lines_) {
        co_await read_lines();
        known_lines_ = lines;
    }
    if (!running.empty()) {
        const pg::result& asked = results.at(1);
        for (int row = 0; row < asked.rows(); ++row) {
            const std::int64_t job = asked.binary_int64(row, 0);
            for (const run_ptr& run : shared_.running) {
                if (run->job.id == job && run->reason() == stop_reason::none) {
                    shared_.stop_run(*run, stop_reason::cancelled);
                    event e{event_type::job_cancel_asked};
                    e.job = &run->job;
                    e.worker = shared_.worker_id;
                    shared_.emit(e);
                }
            }
        }
    }
    if (first) {
        shared_.report(event_type::worker_ready, "");
        shared_.wake_lanes();
    }
    co_return true;
}

/// Does what an operator asks. One that drains is dismissed when nothing runs, nothing that it
/// claimed waits to run, and no claim is under way.
void presence::heed(std::string_view asked) {
    const auto wish = asked == "quiet"   ? operator_wish::quiet
                      : asked == "drain" ? operator_wish::drain
                      : asked == "stop"  ? operator_wish::stop
                                         : operator_wish::none;
    const bool news = wish != shared_.wish;
    if (news) {
        shared_.wish = wish;
        dismissed_ = false;
        shared_.report(event_type::worker_asked, asked.empty() ? "resume" : asked);
        shared_.look_everywhere();
        urgent_ = true;  // so that others see it
    }
    const bool leave =
        wish == operator_wish::stop ||
        (wish == operator_wish::drain && shared_.settled() && shared_.running.empty());
    if (leave && !shared_.draining && !dismissed_) {
        dismissed_ = true;
        shared_.report(event_type::worker_dismissed, asked);
        if (shared_.dismissed) {
            shared_.dismissed();
        }
    }
}

/// What a heartbeat saw that is the maintenance's business.
void presence::hand_on(const pg::result& seen, schedule_sight sight) {
    upkeep_.saw_workers(seen);
    if (!seen.is_null(0, live_schedule_at)) {
        sight.next_at = seen.binary_int64(0, live_schedule_at);
        sight.wait_us = seen.binary_int64(0, live_schedule_wait);
    }
    upkeep_.saw_schedules(sight);
    if (seen.binary_bool(0, live_batches)) {
        upkeep_.saw_batches();
    }
}

void presence::set_lines(const pg::result& rows) {
    for (const auto& queue : shared_.queues) {
        std::vector<line_state> lines;
        bool keyed = false;
        for (int row = 0; row < rows.rows(); ++row) {
            if (rows.binary_int32(row, 1) != queue->id) {
                continue;
            }
            keyed = keyed || rows.binary_bool(row, 4);
            kind_state* kind = shared_.find_kind(rows.text(row, 2));
            if (kind == nullptr) {
                continue;  // Unknown kinds wait for a worker that knows them.
            }
            line_state line;
            line.id = rows.binary_int32(row, 0);
            line.priority = rows.binary_int16(row, 3);
            line.kind = kind;
            lines.push_back(std::move(line));
        }
        if (keyed && !queue->keys.used) {
            queue->keys.used = true;
            shared_.look_now(*queue);
        }
        shared_.set_lines(*queue, std::move(lines));
    }
}

boost::asio::awaitable<void> presence::wait_for_news(clock::time_point until) {
    using namespace boost::asio::experimental::awaitable_operators;
    while (clock::now() < until && !urgent_ && !shared_.stopping) {
        alarm_.expires_at(until);
        auto news = connection_.wait_readable();
        auto late = alarm_.async_wait(use_ec);
        co_await (std::move(news) || std::move(late));
        if (!connection_.is_open()) {
            throw pg::sql_failure{"the connection to PostgreSQL was lost", {}, true, false, {}};
        }
        const std::vector<std::string> heard = connection_.take_notifications();
        for (const std::string& payload : heard) {
            hear(payload);
        }
    }
}

/// `lines`, `cancel`, `limit`, `schedules`, `batches`, `suspects`, or the id of a queue that has
/// something in line.
void presence::hear(const std::string& payload) {
    if (payload == "lines" || payload == "cancel") {
        urgent_ = true;
        return;
    }
    if (payload == "limit") {
        shared_.limits_changed();
        return;
    }
    if (payload == "schedules") {
        upkeep_.schedules().forget();
        urgent_ = true;
        return;
    }
    if (payload == "batches") {
        upkeep_.saw_batches();
        return;
    }
    if (payload == "suspects") {
        shared_.suspects.found();
        return;
    }
    int id = 0;
    const auto [end, ec] = std::from_chars(payload.data(), payload.data() + payload.size(), id);
    if (ec != std::errc{} || end != payload.data() + payload.size()) {
        return;  // Anybody may notify; what we do not understand is not for us.
    }
    if (queue_state* queue = shared_.find_queue(id); queue != nullptr) {
        shared_.look_now(*queue);
    }
}

boost::asio::awaitable<void> presence::deregister() {
    if (shared_.worker_id == 0 || !connection_.is_open()) {
        co_return;
    }
    pg::params p;
    p.int8(shared_.worker_id);
    connection_.send(shared_.sql.deregister_worker, p);
    connection_.pass(pg::failpoint::leave_before_commit);
    co_await connection_.run();
    connection_.close();
}

}  // namespace libqueue::engine
