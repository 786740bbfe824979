#include "bench/backlog.hpp"
#include "bench/measurements.hpp"
#include "bench/noop_worker.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

namespace bench {
namespace {

constexpr int producer_count = 2;
constexpr int default_priority = 5;
constexpr std::chrono::microseconds full_pause{200};

/// Keeps about so many jobs outstanding: enqueues a thousand whenever there is room.
class producer {
   public:
    producer(const std::string& dsn, const noop_worker& worker, std::int64_t outstanding,
             std::atomic<std::int64_t>& enqueued, const std::atomic<bool>& ended)
        : client_{libqueue::client_options{dsn}},
          worker_{worker},
          outstanding_{outstanding},
          enqueued_{enqueued},
          ended_{ended} {}

    void run() {
        while (!ended_) {
            const std::int64_t from = enqueued_.fetch_add(batch_size);
            while (from + batch_size - worker_.done() > outstanding_ && !ended_) {
                std::this_thread::sleep_for(full_pause);
            }
            enqueue_batch(client_, from, batch_size, default_priority);
        }
    }

   private:
    libqueue::client client_;
    const noop_worker& worker_;
    std::int64_t outstanding_;
    std::atomic<std::int64_t>& enqueued_;
    const std::atomic<bool>& ended_;
};

double mean(const std::vector<std::int64_t>& counts, std::size_t from, std::size_t to) {
    const auto begin = counts.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = counts.begin() + static_cast<std::ptrdiff_t>(to);
    return static_cast<double>(std::accumulate(begin, end, std::int64_t{0})) /
           static_cast<double>(to - from);
}

/// Jobs run in each second.
std::vector<std::int64_t> count_seconds(noop_worker& worker, std::int64_t seconds) {
    std::vector<std::int64_t> counts;
    auto next = clock::now();
    std::int64_t before = worker.done();
    for (std::int64_t second = 0; second < seconds; ++second) {
        next += std::chrono::seconds{1};
        std::this_thread::sleep_until(next);
        const std::int64_t now_done = worker.done();
        counts.push_back(now_done - before);
        before = now_done;
    }
    return counts;
}

}  // namespace

boost::json::object sustained(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::int64_t seconds = given.number("seconds");
    const std::int64_t outstanding = given.number_or("outstanding", 10'000);
    install_queue(dsn);
    session db{dsn};
    db.exec("CHECKPOINT");
    std::optional<old_snapshot> held;
    if (given.flag("snapshot")) {
        held.emplace(dsn);
    }
    noop_worker worker{dsn, 0, static_cast<int>(given.number_or("concurrency", 1'000)),
                       static_cast<int>(given.number_or("connections", 2))};
    worker.start();
    std::atomic<std::int64_t> enqueued{0};
    std::atomic<bool> ended{false};
    std::vector<std::thread> threads;
    for (int number = 0; number < producer_count; ++number) {
        threads.emplace_back([&] { producer{dsn, worker, outstanding, enqueued, ended}.run(); });
    }
    const std::vector<std::int64_t> counts = count_seconds(worker, seconds);
    ended = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    worker.check();
    const auto until = clock::now() + std::chrono::minutes{1};
    while (worker.done() < enqueued && clock::now() < until) {
        std::this_thread::sleep_for(full_pause);
    }
    wait_recorded(db, [&worker] { worker.check(); });
    check_history(db, enqueued);
    worker.stop();

    const auto all = counts.size();
    const std::size_t window = std::min<std::size_t>(15, all / 2);
    boost::json::object made;
    made["jobs"] = enqueued.load();
    made["per_second"] = mean(counts, 0, all);
    made["first_per_second"] = mean(counts, 0, window);
    made["last_per_second"] = mean(counts, all - window, all);
    made["by_second"] = boost::json::array(counts.begin(), counts.end());
    return made;
}

}  // namespace bench
