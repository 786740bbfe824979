#include "bench/measurements.hpp"
#include "bench/spacing.hpp"

#include <sys/poll.h>

#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr int silence_ms = 10'000;

/// Sleeps on LISTEN and deletes what came.
class listener {
   public:
    listener(const std::string& dsn, std::size_t jobs) : db_{dsn}, at_(jobs + 1) {
        db_.prepare("claim",
                    "DELETE FROM line WHERE ctid = ANY (ARRAY("
                    "SELECT ctid FROM line ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)) "
                    "RETURNING id, payload");
        db_.exec("LISTEN line");
    }

    void run() {
        std::size_t left = at_.size() - 1;
        while (left > 0) {
            // One that came together with the last answer makes no socket readable.
            if (!heard()) {
                pollfd readable{PQsocket(db_.raw()), POLLIN, 0};
                if (::poll(&readable, 1, silence_ms) <= 0) {
                    return;  // the missing times tell
                }
                PQconsumeInput(db_.raw());
                (void)heard();
            }
            const rows batch = db_.run("claim");
            const auto now = clock::now();
            for (int row = 0; row < PQntuples(batch.get()); ++row) {
                at_.at(std::stoul(PQgetvalue(batch.get(), row, 0))) = now;
                --left;
            }
        }
    }
    [[nodiscard]] clock::time_point of(std::size_t id) const { return at_.at(id); }

   private:
    bool heard() {
        bool any = false;
        while (PGnotify* one = PQnotifies(db_.raw())) {
            PQfreemem(one);
            any = true;
        }
        return any;
    }

    session db_;
    std::vector<clock::time_point> at_;
};

}  // namespace

boost::json::object bare_pickup(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::vector<clock::duration> moments = make_moments(given);
    session db{dsn};
    db.exec("CREATE TABLE line (id bigint PRIMARY KEY, payload jsonb NOT NULL)");
    db.prepare("enqueue",
               "WITH added AS (INSERT INTO line VALUES ($1, $2)) SELECT pg_notify('line', '')");
    listener consumer{dsn, moments.size()};
    std::thread thread{&listener::run, &consumer};

    std::vector<clock::time_point> committed{clock::now()};
    const auto begin = clock::now();
    for (std::size_t number = 0; number < moments.size(); ++number) {
        const std::string id = std::to_string(number + 1);
        const std::string text = payload(static_cast<std::int64_t>(number));
        std::this_thread::sleep_until(begin + moments[number]);
        (void)db.run("enqueue", {id.c_str(), text.c_str()});
        committed.push_back(clock::now());
    }
    thread.join();
    std::vector<double> waits;
    for (std::size_t id = 1; id < committed.size(); ++id) {
        if (consumer.of(id) == clock::time_point{}) {
            throw std::runtime_error{"row " + std::to_string(id) + " was never taken"};
        }
        waits.push_back(1'000 * seconds_between(committed[id], consumer.of(id)));
    }
    return summary(std::move(waits));
}

}  // namespace bench
