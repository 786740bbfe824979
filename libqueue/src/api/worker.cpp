#include "core/limits.hpp"
#include "engine/session.hpp"
#include "pg/connection.hpp"
#include "store/server_check.hpp"

#include <libqueue/duration.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace libqueue {
namespace {

/// Kept reachable, so that a leak checker still tells what is lost by mistake.
void keep_for_ever(std::unique_ptr<engine::session> session) {
    static std::mutex mutex;
    static auto* const kept = new std::vector<std::unique_ptr<engine::session>>;
    const std::lock_guard lock{mutex};
    kept->push_back(std::move(session));
}

void add(std::string& faults, bool wrong, const std::string& text) {
    if (wrong) {
        faults += faults.empty() ? text : "; " + text;
    }
}

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() <= limits::limit_name_bytes &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") ==
               std::string_view::npos;
}

/// What the database would refuse, and the worker would try again and again.
std::string faults_of_limit(const limit_options& o) {
    const std::string who = "limit " + o.name + ": ";
    std::string faults;
    add(faults, !is_plain_name(o.name), who + "name: expected 1 to 64 of a-z 0-9 _ . -");
    add(faults, o.burst < 0 || o.burst > limits::limit_count_max,
        who + "burst: expected 0 to 1000000, got " + std::to_string(o.burst));
    // Not a number fails both comparisons.
    add(faults, !(o.rate >= limits::rate_min && o.rate <= limits::rate_max) && o.rate != 0,
        who + "rate: expected 0 or 0.000001 to 100000 per second, got " + std::to_string(o.rate));
    add(faults, o.burst > 0 && o.rate == 0, who + "burst: expected a rate beside it");
    add(faults, o.concurrency < 0 || o.concurrency > limits::limit_count_max,
        who + "concurrency: expected 0 to 1000000, got " + std::to_string(o.concurrency));
    const std::string_view key{o.key};
    const bool of_meta = key.starts_with("meta.") && key.size() > 5 &&
                         key.size() <= 5 + limits::limit_name_bytes &&
                         key.find('.', 5) == std::string_view::npos;
    add(faults, !key.empty() && key != "tenant" && key != "limit_key" && !of_meta,
        who + "key: expected tenant, limit_key, meta.<field> or nothing");
    add(faults, !o.parent.empty() && !is_plain_name(o.parent),
        who + "parent: expected 1 to 64 of a-z 0-9 _ . -");
    if (const auto& breaker = o.breaker; breaker.has_value()) {
        add(faults, !(breaker->ratio > 0 && breaker->ratio <= 1),
            who + "breaker.ratio: expected above 0 and at most 1, got " +
                std::to_string(breaker->ratio));
        add(faults, breaker->min_requests < 1 || breaker->min_requests > limits::limit_count_max,
            who + "breaker.min_requests: expected 1 to 1000000, got " +
                std::to_string(breaker->min_requests));
        add(faults,
            breaker->window < limits::breaker_window_min ||
                breaker->window > limits::breaker_window_max,
            who + "breaker.window: expected 1 s to 1 d, got " + format_duration(breaker->window));
        add(faults,
            breaker->cooldown < limits::breaker_cooldown_min ||
                breaker->cooldown > limits::breaker_cooldown_max,
            who + "breaker.cooldown: expected 100 ms to 1 d, got " +
                format_duration(breaker->cooldown));
    }
    return faults;
}

/// Of how the limits given here stand above each other; those of other workers are not known.
std::string faults_of_levels(const std::vector<limit_options>& given) {
    std::map<std::string_view, std::string_view> parents;
    for (const limit_options& one : given) {
        parents[one.name] = one.parent;
    }
    std::string faults;
    for (const auto& [name, parent] : parents) {
        int levels = 1;
        std::string_view above = parent;
        while (!above.empty() && above != name && levels <= limits::limit_levels_max) {
            ++levels;
            const auto found = parents.find(above);
            above = found == parents.end() ? std::string_view{} : found->second;
        }
        const std::string who = "limit " + std::string{name} + ": parent: ";
        add(faults, above == name && !parent.empty(),
            who + "expected a limit that is not under it, got " + std::string{parent});
        add(faults, above != name && levels > limits::limit_levels_max,
            who + "expected at most 4 levels");
    }
    return faults;
}

void add_retention(std::string& faults, const std::optional<std::chrono::milliseconds>& value,
                   const std::string& name) {
    const auto time = value.value_or(std::chrono::milliseconds{0});
    add(faults, time.count() < 0 || time > limits::retention_max,
        name + ": expected 0 to 36500 days, got " + format_duration(time));
}

std::string faults_of_kind(const registration& kind) {
    const kind_options& o = kind.options;
    const std::string who = "kind " + kind.kind + ": ";
    std::string faults;
    const int handlers =
        (kind.handle ? 1 : 0) + (kind.handle_blocking ? 1 : 0) + (kind.handle_many ? 1 : 0);
    add(faults, handlers != 1,
        who + "expected exactly one of handle, handle_blocking and handle_many");
    add(faults, kind.options.batch_max < 1 || kind.options.batch_max > 10'000,
        who + "batch_max: expected 1 to 10000");
    add(faults, kind.reconcile && kind.reconcile_blocking,
        who + "expected at most one of reconcile and reconcile_blocking");
    add(faults, o.concurrency < 0, who + "concurrency: expected 0 or more");
    add(faults, o.timeout.count() <= 0, who + "timeout: expected more than 0");
    add(faults,
        o.max_attempts < limits::max_attempts_min || o.max_attempts > limits::max_attempts_max,
        who + "max_attempts: expected 1 to 1000, got " + std::to_string(o.max_attempts));
    add(faults, o.crash_budget < 0 || o.crash_budget > limits::crash_budget_max,
        who + "crash_budget: expected 0 to 1000, got " + std::to_string(o.crash_budget));
    add(faults, !o.limit.empty() && !is_plain_name(o.limit),
        who + "limit: expected 1 to 64 of a-z 0-9 _ . -");
    const int priority = o.priority.value_or(0);
    add(faults, priority < limits::priority_min || priority > limits::priority_max,
        who + "priority: expected -32768 to 32767, got " + std::to_string(priority));
    add_retention(faults, o.retention, who + "retention");
    add_retention(faults, o.cancelled_retention, who + "cancelled_retention");
    add_retention(faults, o.dead_letter_retention, who + "dead_letter_retention");
    add(faults, o.archive && !o.archive->empty() && !is_plain_name(*o.archive),
        who + "archive: expected 1 to 64 of a-z 0-9 _ . -");
    return faults;
}

std::string faults_of(const worker_options& o, const std::vector<registration>& kinds) {
    std::string faults;
    add(faults, o.queues.empty(), "queues: expected at least one");
    std::set<std::string> names;
    for (const queue_options& queue : o.queues) {
        add(faults, !names.insert(queue.name).second, "queue " + queue.name + " is given twice");
        add(faults, queue.concurrency < 1 || queue.concurrency > limits::concurrency_max,
            "queue " + queue.name + ": concurrency: expected 1 to 100000, got " +
                std::to_string(queue.concurrency));
        add(faults, !queue.limit.empty() && !is_plain_name(queue.limit),
            "queue " + queue.name + ": limit: expected 1 to 64 of a-z 0-9 _ . -");
        add_retention(faults, queue.retention, "queue " + queue.name + ": retention");
        add_retention(faults, queue.dead_letter_retention,
                      "queue " + queue.name + ": dead_letter_retention");
    }
    for (const limit_options& limit : o.limits) {
        const std::string wrong = faults_of_limit(limit);
        add(faults, !wrong.empty(), wrong);
    }
    const std::string wrong_levels = faults_of_levels(o.limits);
    add(faults, !wrong_levels.empty(), wrong_levels);
    add(faults, kinds.empty(), "kinds: expected at least one");
    std::set<std::string> handled;
    for (const registration& kind : kinds) {
        add(faults, !handled.insert(kind.kind).second, "kind " + kind.kind + " is given twice");
        const std::string wrong = faults_of_kind(kind);
        add(faults, !wrong.empty(), wrong);
        add(faults, kind.options.encrypted && o.keyring == nullptr,
            "kind " + kind.kind + ": encrypted: expected a keyring in the worker's options");
    }
    add(faults, o.turn_connections < 1 || o.turn_connections > limits::turn_connections_max,
        "turn_connections: expected 1 to 8, got " + std::to_string(o.turn_connections));
    add(faults, o.pooler == pooling::transaction && o.listen && o.listen_dsn.empty(),
        "pooler: transaction: expected listen_dsn, a direct connection, or listen to be false");
    add(faults, o.threads < 0, "threads: expected 0 or more");
    add(faults, o.heartbeat < limits::heartbeat_min, "heartbeat: expected at least 100 ms");
    add(faults, o.lease <= 2 * o.heartbeat, "lease: expected more than two heartbeats");
    add(faults, o.poll_interval.count() < 1, "poll_interval: expected at least 1 ms");
    add(faults, o.drain_timeout.count() < 0, "drain_timeout: expected 0 or more");
    return faults;
}

/// Throws domain_failure when LISTEN would go through a pooler: nobody would hear what it hears.
void demand_own_session(const worker_options& options, const std::string& dsn) {
    if (!options.listen || options.pooler == pooling::session) {
        return;
    }
    pg::connection on{dsn, "libqueue worker start", std::chrono::seconds{10}};
    if (on.pooled()) {
        throw domain_failure{
            error{errc::invalid_argument,
                  std::string{options.listen_dsn.empty() ? "dsn" : "listen_dsn"} +
                      ": expected a direct connection for LISTEN, got a pooler (the server's "
                      "process is not the one the connection was told)",
                  "Set listen_dsn to a direct connection, or listen to false (jobs are then found "
                  "by polling), or pooler to session if the pooler is in session mode."}};
    }
}

/// Throws domain_failure when jobs must not be run there. Warnings are the session's to report.
void demand_fit_server(const worker_options& options, const std::string& dsn) {
    pg::connection on{dsn, "libqueue worker start", std::chrono::seconds{10}};
    const store::server_terms terms{options.require_durability, options.installation,
                                    options.require_tenancy};
    static_cast<void>(
        store::judge_server(store::read_server_facts(on, options.schema), terms).value());
}

}  // namespace

class worker::impl {
   public:
    impl(worker_options given, std::vector<registration> handled)
        : options{std::move(given)}, kinds{std::move(handled)} {}

    const worker_options options;
    const std::vector<registration> kinds;
    mutable std::mutex mutex;  // guards session and paused
    std::condition_variable stopped;
    std::unique_ptr<engine::session> session;
    bool paused{false};
    bool stopping{false};
    bool dismissed{false};  // run() is to stop
};

worker::worker(worker_options options, std::vector<registration> kinds) {
    const std::string faults = faults_of(options, kinds);
    if (!faults.empty()) {
        throw std::invalid_argument{"worker: " + faults};
    }
    impl_ = std::make_unique<impl>(std::move(options), std::move(kinds));
}

worker::~worker() {
    stop(std::chrono::milliseconds{0});
}

void worker::start() {
    const std::lock_guard lock{impl_->mutex};
    if (impl_->session != nullptr) {
        return;
    }
    migrate_options schema;
    schema.dsn = impl_->options.listen_dsn.empty() ? impl_->options.dsn : impl_->options.listen_dsn;
    schema.schema = impl_->options.schema;
    // A wrong schema is told at once; a database that is away is the loop's to wait for.
    schema.dry_run = !impl_->options.migrate;
    try {
        const auto pending = migrate(schema, impl_->options.migration_sets).value();
        if (schema.dry_run && !pending.empty()) {
            throw domain_failure{error{errc::schema_mismatch,
                                       "schema: " + std::to_string(pending.size()) +
                                           " migrations are missing, first " + pending.front().name,
                                       "Run qctl migrate up, or let the worker migrate."}};
        }
        demand_own_session(impl_->options, schema.dsn);
        demand_fit_server(impl_->options, schema.dsn);
    } catch (const failure& away) {
        event e{event_type::database_lost};
        e.message = away.what();
        if (impl_->options.observer != nullptr) {
            impl_->options.observer->on_event(e);
        }
    }
    impl_->session = std::make_unique<engine::session>(impl_->options, impl_->kinds);
    if (impl_->paused) {
        impl_->session->set_paused(true);
    }
    impl_->dismissed = false;
    impl_->session->on_dismissed([state = impl_.get()] {
        const std::lock_guard here{state->mutex};
        state->dismissed = true;
        state->stopped.notify_all();
    });
    impl_->session->start();
}

void worker::stop() {
    stop(impl_->options.drain_timeout);
}

void worker::stop(std::chrono::milliseconds drain_timeout) {
    engine::session* ending = nullptr;
    {
        std::unique_lock lock{impl_->mutex};
        if (impl_->session == nullptr) {
            return;
        }
        if (impl_->stopping) {
            impl_->stopped.wait(lock, [this] { return impl_->session == nullptr; });
            return;
        }
        impl_->stopping = true;
        ending = impl_->session.get();
    }
    ending->stop(drain_timeout);
    const std::lock_guard lock{impl_->mutex};
    if (ending->abandoned()) {
        // A blocking handler still runs on memory of this session; freeing it would be worse.
        keep_for_ever(std::move(impl_->session));
    }
    impl_->session.reset();
    impl_->stopping = false;
    impl_->stopped.notify_all();
}

void worker::run() {
    start();
    std::unique_lock lock{impl_->mutex};
    impl_->stopped.wait(lock, [this] { return impl_->session == nullptr || impl_->dismissed; });
    const bool leave = impl_->session != nullptr;
    lock.unlock();
    if (leave) {
        stop();
    }
}

void worker::pause() {
    const std::lock_guard lock{impl_->mutex};
    impl_->paused = true;
    if (impl_->session != nullptr) {
        impl_->session->set_paused(true);
    }
}

void worker::resume() {
    const std::lock_guard lock{impl_->mutex};
    impl_->paused = false;
    if (impl_->session != nullptr) {
        impl_->session->set_paused(false);
    }
}

bool worker::set_concurrency(std::string_view queue, int concurrency) {
    const std::lock_guard lock{impl_->mutex};
    const auto& known = impl_->options.queues;
    const bool found = std::any_of(known.begin(), known.end(),
                                   [&](const queue_options& q) { return q.name == queue; });
    if (found && impl_->session != nullptr) {
        impl_->session->set_concurrency(std::string{queue},
                                        std::clamp(concurrency, 1, limits::concurrency_max));
    }
    return found;
}

bool worker::running() const noexcept {
    const std::lock_guard lock{impl_->mutex};
    return impl_->session != nullptr;
}

bool worker::connected() const noexcept {
    const std::lock_guard lock{impl_->mutex};
    if (impl_->session == nullptr) {
        return false;
    }
    const std::chrono::milliseconds beat{impl_->session->state().last_beat_ms.load()};
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
    return beat.count() != 0 && now - beat < impl_->options.lease;
}

int worker::active() const noexcept {
    const std::lock_guard lock{impl_->mutex};
    return impl_->session == nullptr ? 0 : impl_->session->state().active.load();
}

std::int64_t worker::finished() const noexcept {
    const std::lock_guard lock{impl_->mutex};
    return impl_->session == nullptr ? 0 : impl_->session->state().handled.load();
}

bool worker::ping(std::function<void()> answer) {
    const std::lock_guard lock{impl_->mutex};
    if (impl_->session == nullptr) {
        return false;
    }
    impl_->session->ping(std::move(answer));
    return true;
}

std::int64_t worker::id() const noexcept {
    const std::lock_guard lock{impl_->mutex};
    return impl_->session == nullptr ? 0 : impl_->session->state().public_worker_id.load();
}

}  // namespace libqueue
