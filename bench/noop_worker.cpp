#include "bench/noop_worker.hpp"

#include "bench/backlog.hpp"

#include <stdexcept>
#include <utility>

namespace bench {
namespace {

constexpr std::int64_t mark_every = 1'000;
constexpr std::chrono::seconds start_at_most{30};
constexpr std::chrono::seconds silence_at_most{60};

libqueue::worker_options make_options(const std::string& dsn, int concurrency, int connections,
                                      libqueue::observer& watch) {
    libqueue::worker_options options;
    options.dsn = dsn;
    options.queues.emplace_back("default", concurrency);
    options.turn_connections = connections;
    options.migrate = false;
    options.observer = &watch;
    return options;
}

std::vector<libqueue::registration> make_kinds(libqueue::coroutine_handler handle) {
    std::vector<libqueue::registration> kinds;
    kinds.emplace_back(kind);
    kinds.back().handle = std::move(handle);
    return kinds;
}

}  // namespace

void fault_watch::on_event(const libqueue::event& e) noexcept {
    using libqueue::event_type;
    if (e.type == event_type::worker_started) {
        started_.release();
    } else if (e.type == event_type::worker_ready) {
        ready_.release();
    } else if (e.type == event_type::internal_error || e.type == event_type::database_lost ||
               e.type == event_type::lease_lost || e.type == event_type::worker_lost ||
               e.type == event_type::job_dead || e.type == event_type::jobs_rescued) {
        const std::lock_guard lock{mutex_};
        if (fault_.empty()) {
            fault_ = std::string{to_string(e.type)} + ": " + std::string{e.message};
        }
    }
}

clock::time_point fault_watch::wait_started() {
    if (!started_.try_acquire_for(start_at_most)) {
        check();
        throw std::runtime_error{"the worker did not register within 30 s"};
    }
    return clock::now();
}

void fault_watch::wait_ready() {
    if (!ready_.try_acquire_for(start_at_most)) {
        check();
        throw std::runtime_error{"the worker was not ready within 30 s"};
    }
}

void fault_watch::check() {
    const std::lock_guard lock{mutex_};
    if (!fault_.empty()) {
        throw std::runtime_error{"the worker reported " + fault_};
    }
}

noop_worker::noop_worker(const std::string& dsn, std::int64_t expected, int concurrency,
                         int connections)
    : expected_{expected},
      worker_{make_options(dsn, concurrency, connections, watch_),
              make_kinds(std::bind_front(&noop_worker::handle, this))} {
    marks_.reserve(static_cast<std::size_t>(expected / mark_every) + 1);
}

boost::asio::awaitable<libqueue::outcome> noop_worker::handle(libqueue::job_context&) {
    const std::int64_t now_done = done_.load(std::memory_order_relaxed) + 1;
    if (now_done <= expected_ && (now_done == 1 || now_done % mark_every == 0)) {
        marks_.push_back(clock::now());
    }
    done_.store(now_done);  // the loop thread alone writes it
    if (now_done == expected_) {
        reached_.release();
    }
    co_return libqueue::completed();
}

clock::time_point noop_worker::start() {
    worker_.start();
    return watch_.wait_started();
}

void noop_worker::wait() {
    std::int64_t before = -1;
    while (!reached_.try_acquire_for(silence_at_most)) {
        check();
        const std::int64_t now_done = done();
        if (now_done == before) {
            throw std::runtime_error{"no job ran for a minute; " + std::to_string(now_done) +
                                     " of " + std::to_string(expected_) + " had run"};
        }
        before = now_done;
    }
}

void noop_worker::stop() {
    worker_.stop();
    check();
}

clock::time_point noop_worker::time_of(std::int64_t count) const {
    return marks_.at(static_cast<std::size_t>(count / mark_every));
}

}  // namespace bench
