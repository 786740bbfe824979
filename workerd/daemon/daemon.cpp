#include "daemon.hpp"

#include "auth/jwt_setup.hpp"
#include "auth/service_setup.hpp"
#include "dev/dev_token.hpp"
#include "net/tls_keys.hpp"
#include "registry.hpp"
#include "reload.hpp"

#include <libqueue/error.hpp>
#include <libqueue/version.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <utility>

namespace workerd {

namespace {

// After the drain time: handlers that are told to stop, the last turns, leaving the database.
constexpr std::chrono::seconds goodbye{15};

// Of that, for answers to requests that are under way: a change may take ten seconds.
constexpr std::chrono::seconds answer_time{10};
constexpr std::chrono::milliseconds answer_look{10};

// Of a request: a job's largest payload with the object around it.
constexpr std::uint64_t http_body_bytes = 1 << 20;

}  // namespace

daemon_observer::daemon_observer(logger& log, bool every_job) : log_{log} {
    log_.set_every_job(every_job);
}

void daemon_observer::on_event(const libqueue::event& e) noexcept {
    if (e.type == libqueue::event_type::worker_ready && health_ != nullptr)
        health_->mark_started();
    if (observed_by_ != nullptr)
        observed_by_->on_event(e);
    log_.on_event(e);
    if (e.type == libqueue::event_type::suspects_waiting && waiting_)
        waiting_();
    if (e.type == libqueue::event_type::suspects_cleared && cleared_)
        cleared_();
    if (e.type == libqueue::event_type::worker_dismissed && dismissed_)
        dismissed_();
}

std::string daemon_observer::trace_run(const libqueue::job& run, std::string_view enqueued) const {
    return observed_by_ != nullptr ? observed_by_->trace_run(run, enqueued) : std::string{enqueued};
}

void daemon_observer::on_suspects(std::function<void()> waiting, std::function<void()> cleared) {
    waiting_ = std::move(waiting);
    cleared_ = std::move(cleared);
}

daemon::daemon(const command_line& line, config_result loaded, logger& log,
               std::vector<libqueue::registration> more)
    : sources_{line.sources},
      warnings_{std::move(loaded.faults)},
      config_{std::move(loaded.value)},
      log_{log},
      tasks_{loop_, log},
      signals_{loop_},
      observer_{log, config_.log.jobs},
      manager_{line.sources.dev || line.suspects},
      watch_{loop_, manager_, log, config_.worker.lease},
      more_{std::move(more)},
      arguments_{line.arguments},
      dev_fresh_{line.dev_fresh},
      only_suspects_{line.suspects} {}

daemon::~daemon() {
    if (drain_thread_.joinable())
        drain_thread_.join();
}

int daemon::run() {
    try {
        if (const auto refused = start())
            return *refused;
        await_signal();
        loop_.run();
        return finish();
    } catch (const libqueue::domain_failure& error) {
        // A development cluster outlives the builds whose migrations it holds.
        const bool is_old_cluster =
            sources_.dev && error.why().code == libqueue::errc::schema_mismatch;
        log_.error("start_failed", "workerd cannot start",
                   {{"err.code", libqueue::to_string(error.why().code)},
                    {"err.msg", error.why().message},
                    {"hint", is_old_cluster ? "--dev=fresh starts with an empty database"
                                            : error.why().hint}});
    } catch (const std::exception& error) {
        log_.error("start_failed", "workerd cannot start",
                   {{"err.code", "environment"}, {"err.msg", error.what()}});
    }
    return exit_code::failed;
}

std::optional<int> daemon::start() {
    // A peer that closes its connection must not end the process.
    ::signal(SIGPIPE, SIG_IGN);
    log_.info("daemon_starting", "workerd starts",
              {{"version", libqueue::version}, {"pid", static_cast<int>(::getpid())}});
    static_cast<void>(report(warnings_));
    if (sources_.dev) {
        dev_ = std::make_unique<dev_mode>(tasks_, log_, config_, dev_fresh_);
        dev_->on_database_end([this] {
            log_.error("dev_database_ended", "the private PostgreSQL ended; leaving");
            failed_ = true;
            drain(SIGTERM);
        });
    }
    std::vector<config_fault> faults;
    auto kinds = make_registry(config_, faults, more_);
    jwt_ = api::make_jwt_verifier(config_, faults);
    services_ = api::make_service_calls(config_, faults);
    if (!report(faults))
        return exit_code::usage;
    if (const auto& ring = config_.encryption.ring; ring != nullptr && !ring->locked())
        log_.warn("keys_not_locked", "keys cannot be locked into memory; they may reach swap",
                  {{"hint", "raise LimitMEMLOCK (ulimit -l)"}});
    if (!only_suspects_)
        observability_ = make_observability(config_, dev_ != nullptr, log_);
    if (observability_) {
        observer_.attach(*observability_);
        if (config_.metrics.canary.count() > 0)
            kinds.push_back(observe::canary_registration());
    }
    auto options = make_worker_options(config_);
    options.observer = &observer_;
    handle_suspects(options);
    observer_.on_dismissed([this] { boost::asio::post(loop_, [this] { drain(0); }); });
    const auto dsn = options.dsn;
    worker_ = std::make_unique<libqueue::worker>(std::move(options), std::move(kinds));
    health_ = std::make_unique<health>(loop_, dsn, config_.database.schema, *worker_);
    if (observability_)
        health_->clock_by([this] { return observability_->keeping().clock_offset(); });
    observer_.attach(*health_);
    // Before the worker: from here on a signal drains instead of killing.
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
        signals_.add(number);
    start_http();
    start_metrics();
    // First, so that whoever waits for worker_ready finds dev.env up to date.
    if (dev_)
        announce_dev();
    worker_->start();
    if (observability_)
        observability_->start(*worker_);
    if (!only_suspects_)
        start_watch();
    return std::nullopt;
}

void daemon::announce_dev() {
    std::string token;
    if (http_ && config_.dashboard.enabled)
        token = make_dev_token(config_.database.dsn, config_.database.schema);
    dev_->announce(http_ ? http_->address() : std::string{}, token);
}

bool daemon::report(const std::vector<config_fault>& faults) {
    bool is_usable = true;
    for (const auto& fault : faults) {
        const bool is_fault = fault.level == severity::fault;
        is_usable = is_usable && !is_fault;
        log_.log(is_fault ? log_level::error : log_level::warn, "config_fault",
                 "the configuration has a fault", {{"fault", to_text(fault)}});
    }
    return is_usable;
}

/// Dev mode has one process: there the worker runs them itself, while nothing else runs.
void daemon::handle_suspects(libqueue::worker_options& options) {
    if (only_suspects_) {
        options.suspects = libqueue::suspect_policy::only;
        options.turn_connections = 1;
        if (!options.name.empty())
            options.name += " suspects";
        observer_.on_suspects({}, [this] { boost::asio::post(loop_, [this] { drain(0); }); });
        tasks_.spawn("silence", leave_when_silent());
    } else if (!dev_) {
        options.suspects = libqueue::suspect_policy::leave;
        libqueue::client_options database{options.dsn};
        database.schema = options.schema;
        suspect_runner_ = std::make_unique<suspect_runner>(tasks_, log_, arguments_, database);
        observer_.on_suspects(
            [this] { boost::asio::post(loop_, [this] { suspect_runner_->start(); }); }, {});
    }
}

/// A suspect that keeps the worker's loop for itself would keep all others waiting: its process
/// ends when the worker has been silent for so long that its job is rescued.
boost::asio::awaitable<void> daemon::leave_when_silent() {
    boost::asio::steady_timer timer{loop_};
    auto heard_at = std::chrono::steady_clock::now();
    while (!drain_thread_.joinable()) {
        timer.expires_after(std::chrono::milliseconds{500});
        static_cast<void>(co_await timer.async_wait(use_tuple));
        const auto now = std::chrono::steady_clock::now();
        if (worker_->connected())
            heard_at = now;
        if (now - heard_at > config_.worker.lease) {
            log_.error("suspects_hang", "the worker has fallen silent; leaving at once");
            std::_Exit(exit_code::failed);
        }
    }
}

/// What answers HTTP requests: health at once on the loop, the API on threads of its own.
void daemon::open_front_door() {
    libqueue::client_options database{complete_dsn(config_, config_.database.dsn)};
    database.schema = config_.database.schema;
    database.application_name = "workerd api";
    database.connect_timeout = config_.database.connect_timeout;
    database.keyring = config_.encryption.ring;
    // Not only once a worker has told the database: the first requests come before.
    for (const auto& [name, kind] : config_.kinds)
        if (kind.encrypted.value_or(false))
            database.encrypted_kinds.push_back(name);
    const bool is_named = !config_.worker.name.empty();
    surroundings_ = std::make_unique<api::surroundings>(
        is_named ? config_.worker.name : std::to_string(::getpid()), dev_ != nullptr);
    share_settings();
    const auto& http = config_.http;
    api::front_door_options options{std::move(database)};
    options.jwt = jwt_;
    options.services = services_;
    options.cors_origins = http.cors_origins;
    options.threads = http.threads;
    // All connections may ask at once: viewers that come back after a restart do.
    options.waiting_max = http.connections;
    // The rest is for requests.
    options.streams = http.connections - http.connections / 8;
    options.user_rate = http.rate_limits.user;
    options.token_rate = http.rate_limits.token;
    options.address_rate = http.rate_limits.address;
    front_door_ =
        std::make_unique<api::front_door>(tasks_, log_, *surroundings_, std::move(options));
    front_door_->mount(
        "/health", [this](http_request request) { return health_->answer(std::move(request)); });
    count_requests();
    mount_dashboard();
}

void daemon::mount_dashboard() {
    if (!config_.dashboard.enabled)
        return;
    dashboard_ = std::make_unique<dashboard::asset_server>(config_.dashboard.base_path);
    front_door_->mount("/", [this](http_request request) -> boost::asio::awaitable<http_response> {
        co_return dashboard_->answer(request);
    });
}

void daemon::share_settings() {
    const auto& rights = config_.http.auth.operator_rights;
    surroundings_->set(config_.settings, {rights.begin(), rights.end()});
}

/// Beside the API, or on a listener of their own where the API is not to be reached.
void daemon::start_metrics() {
    if (!observability_)
        return;
    auto handler = [this](http_request request) {
        return observability_->answer(std::move(request));
    };
    if (config_.metrics.listen.empty()) {
        if (front_door_)
            front_door_->mount("/metrics", handler);
        return;
    }
    metrics_http_ = std::make_unique<http_server>(tasks_, config_.metrics.listen, http_limits{},
                                                  with_peer(handler));
    metrics_http_->start();
    log_.info("metrics_listening", "serving /metrics", {{"address", metrics_http_->address()}});
}

/// What the front door answers, under the pattern of its route.
void daemon::count_requests() {
    if (!observability_)
        return;
    front_door_->observe([this](const api::request_record& one) {
        auto& metrics = observability_->metrics();
        const std::string method{one.method};
        const std::string route{one.route.empty() ? "other" : one.route};
        const std::chrono::duration<double> took = one.took;
        metrics.set("http_requests_in_progress", {}, front_door_->in_progress());
        metrics.add("http_requests_total",
                    {{"method", method}, {"path", route}, {"code", std::to_string(one.status)}});
        metrics.observe("http_request_duration_seconds", {{"method", method}, {"path", route}},
                        took.count());
    });
}

void daemon::start_http() {
    if (!config_.http.enabled || only_suspects_)
        return;
    open_front_door();
    http_limits limits;
    limits.body_bytes = http_body_bytes;
    limits.connections = static_cast<std::size_t>(config_.http.connections);
    limits.refuse = api::front_door::refusal;
    auto handler = [this](http_exchange exchange) {
        return front_door_->answer(std::move(exchange));
    };
    const bool is_standard = config_.settings.at("http.listen").where.source == "default";
    try {
        http_ = std::make_unique<http_server>(tasks_, config_.http.listen, limits, handler);
    } catch (const std::exception&) {
        // Somebody else's program on the usual port must not spoil a first try.
        if (!dev_ || !is_standard)
            throw;
        http_ = std::make_unique<http_server>(tasks_, "127.0.0.1:0", limits, handler);
    }
    const auto& tls = config_.http.tls;
    if (!tls.certificate_file.empty())
        http_->use_tls(load_tls(tls.certificate_file, tls.key_file));
    http_->start();
    log_.info("http_listening", "serving HTTP",
              {{"address", http_->address()}, {"tls", !tls.certificate_file.empty()}});
}

// A certificate is renewed long before the old one ends: one that cannot be read changes nothing.
void daemon::reload_http() {
    if (!http_)
        return;
    share_settings();
    front_door_->use_jwt(jwt_);
    const auto& tls = config_.http.tls;
    if (tls.certificate_file.empty())
        return;
    try {
        http_->use_tls(load_tls(tls.certificate_file, tls.key_file));
        log_.info("tls_reloaded", "the certificate was read again");
    } catch (const std::exception& error) {
        log_.error("tls_refused", "the certificate was not reloaded; the old one stays in use",
                   {{"err.msg", error.what()}});
    }
}

void daemon::start_watch() {
    std::string queues;
    for (const auto& [name, queue] : config_.queues)
        queues += (queues.empty() ? "" : ", ") + name;
    watch_.start(*worker_, *health_, std::move(queues));
}

void daemon::reload() {
    if (drain_thread_.joinable())
        return;
    manager_.reloading();
    const bool accepted = reload_config(sources_, config_, *worker_, jwt_, log_);
    if (accepted)
        reload_http();
    if (observability_)
        observability_->metrics().set("libqueue_config_last_reload_success", {}, accepted ? 1 : 0);
    manager_.ready();
}

void daemon::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error)
            return;
        on_signal(number);
        await_signal();
    });
}

void daemon::on_signal(int number) {
    if (number == SIGHUP) {
        reload();
    } else if (number == SIGUSR1) {
        log_.toggle_debug();
        log_.info("log_level", "log level switched", {{"level", to_string(log_.level())}});
    } else if (drain_thread_.joinable()) {
        log_.warn("left_at_once",
                  "second signal: leaving; running jobs return when their lease ends",
                  {{"active", worker_->active()}});
        // No destructors: they would wait for the very jobs we are told not to wait for. The
        // private database gets its death signal from the kernel.
        std::_Exit(exit_code::left_at_once);
    } else {
        drain(number);
    }
}

void daemon::drain(int number) {
    if (drain_thread_.joinable())
        return;
    if (suspect_runner_)
        suspect_runner_->drain();
    log_.info("drain_started",
              number != 0      ? "signal: draining; a second one leaves at once"
              : only_suspects_ ? "no suspect is left; leaving"
                               : "an operator asked: draining; a signal leaves at once",
              {{"signal", number},
               {"active", worker_->active()},
               {"timeout_ms", config_.worker.drain_timeout.count()}});
    health_->mark_draining();
    const auto time = config_.worker.drain_timeout;
    manager_.stopping(time + goodbye);
    watch_.mark_draining();
    // A thread, because stop() blocks and the second signal must still be heard.
    drain_thread_ = std::thread{[this, time] {
        worker_->stop(time);
        boost::asio::post(loop_, [this] { tasks_.spawn("last_answers", end_http()); });
    }};
}

/// Whoever has asked gets an answer: a change that is made and looks as if it were not is made
/// again. The loop turns until all are written.
boost::asio::awaitable<void> daemon::end_http() {
    if (http_)
        http_->stop();
    if (front_door_)
        front_door_->end_streams();
    if (metrics_http_)
        metrics_http_->stop();
    boost::asio::steady_timer timer{loop_};
    const auto end = std::chrono::steady_clock::now() + answer_time;
    while ((http_ && !http_->is_empty()) || (metrics_http_ && !metrics_http_->is_empty())) {
        if (std::chrono::steady_clock::now() >= end)
            break;
        timer.expires_after(answer_look);
        static_cast<void>(co_await timer.async_wait(use_tuple));
    }
    loop_.stop();
}

int daemon::finish() {
    if (drain_thread_.joinable())
        drain_thread_.join();
    if (front_door_)
        front_door_->stop();
    watch_.stop();
    if (observability_)
        observability_->stop();
    manager_.leaving(config_.worker.drain_timeout + goodbye);
    if (suspect_runner_)
        suspect_runner_->finish(config_.worker.drain_timeout);
    worker_.reset();
    dev_.reset();
    log_.info("daemon_stopped", "workerd has stopped");
    return failed_ ? exit_code::failed : exit_code::ok;
}

}  // namespace workerd
