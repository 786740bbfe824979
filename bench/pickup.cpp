#include "bench/backlog.hpp"
#include "bench/measurements.hpp"
#include "bench/noop_worker.hpp"
#include "bench/spacing.hpp"

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr int concurrency = 100;
constexpr std::chrono::seconds settle{1};
constexpr std::chrono::seconds last_at_most{30};

/// When each job's handler began, by id. The database is new, so ids count from 1.
class start_times {
   public:
    explicit start_times(std::size_t jobs) : at_(jobs + 1) {}

    boost::asio::awaitable<libqueue::outcome> handle(libqueue::job_context& context) {
        at_.at(static_cast<std::size_t>(context.job().id)) = clock::now();
        seen_.fetch_add(1);
        co_return libqueue::completed();
    }
    [[nodiscard]] std::size_t seen() const noexcept { return seen_; }
    [[nodiscard]] clock::time_point of(std::size_t id) const { return at_.at(id); }

   private:
    std::vector<clock::time_point> at_;
    std::atomic<std::size_t> seen_{0};
};

libqueue::worker_options make_options(const std::string& dsn, libqueue::observer& watch) {
    libqueue::worker_options options;
    options.dsn = dsn;
    options.queues.emplace_back("default", concurrency);
    options.migrate = false;
    options.observer = &watch;
    return options;
}

std::vector<libqueue::registration> make_kinds(start_times& times) {
    std::vector<libqueue::registration> kinds;
    kinds.emplace_back(kind);
    kinds.back().handle = std::bind_front(&start_times::handle, &times);
    return kinds;
}

/// Enqueues one job per commit at each moment; when each commit returned, by id.
std::vector<clock::time_point> enqueue_at(session& db, const std::vector<clock::duration>& moments,
                                          std::vector<double>& commit_ms) {
    std::vector<clock::time_point> committed(moments.size() + 1);
    const auto begin = clock::now();
    for (std::size_t number = 0; number < moments.size(); ++number) {
        const std::string text = payload(static_cast<std::int64_t>(number));
        std::this_thread::sleep_until(begin + moments[number]);
        const auto sent = clock::now();
        const rows answer = db.run("enqueue", {kind, text.c_str()});
        const auto returned = clock::now();
        committed.at(std::stoul(PQgetvalue(answer.get(), 0, 0))) = returned;
        commit_ms.push_back(1'000 * seconds_between(sent, returned));
    }
    return committed;
}

}  // namespace

boost::json::object pickup(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::vector<clock::duration> moments = make_moments(given);
    install_queue(dsn);
    session db{dsn};
    db.prepare("enqueue", "SELECT queue.enqueue($1, $2::jsonb)");
    start_times times{moments.size()};
    fault_watch watch;
    libqueue::worker worker{make_options(dsn, watch), make_kinds(times)};
    worker.start();
    watch.wait_ready();
    std::this_thread::sleep_for(settle);

    std::vector<double> commit_ms;
    const std::vector<clock::time_point> committed = enqueue_at(db, moments, commit_ms);
    const auto until = clock::now() + last_at_most;
    while (times.seen() < moments.size()) {
        watch.check();
        if (clock::now() > until) {
            throw std::runtime_error{std::to_string(moments.size() - times.seen()) +
                                     " jobs did not start within 30 s"};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    worker.stop();
    watch.check();
    check_history(db, static_cast<std::int64_t>(moments.size()));
    std::vector<double> waits;
    for (std::size_t id = 1; id < committed.size(); ++id) {
        waits.push_back(1'000 * seconds_between(committed[id], times.of(id)));
    }
    boost::json::object made = summary(std::move(waits));
    made["commit_p50_ms"] = percentile(commit_ms, 0.5);
    return made;
}

}  // namespace bench
