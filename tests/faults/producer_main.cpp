// A producer on the public API that can be killed: see journal.hpp for what it writes down. What it
// had asked for and was not told of before it was killed, it asks for again, under the same key.
//
// usage: faults_producer DSN JOURNAL NAME SEED MS_MOST IN_LINE_MOST REPEAT_AFTER_MS
// Enqueues until SIGTERM, then exits with 0. 3: the database was away for a minute; 4: refused.

#include "journal.hpp"
#include "support/query.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/failpoints.hpp>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

std::atomic<bool> ending{false};
static_assert(std::atomic<bool>::is_always_lock_free);

class settings {
   public:
    explicit settings(char** arguments)
        : dsn{arguments[1]},
          journal{arguments[2]},
          name{arguments[3]},
          seed{std::stoull(arguments[4])},
          ms_most{std::stoi(arguments[5])},
          in_line_most{std::stoul(arguments[6])},
          repeat_after{std::stoi(arguments[7])} {}
    std::string dsn;
    std::string journal;
    std::string name;
    std::uint64_t seed;
    int ms_most;
    std::size_t in_line_most;
    std::chrono::milliseconds repeat_after;
};

void wait(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    static_cast<void>(
        test::wait_until([&] { return std::chrono::steady_clock::now() >= end; }, time + 1s));
}

class producer {
   public:
    explicit producer(settings options)
        : options_{std::move(options)},
          earlier_{options_.journal},
          writer_{options_.journal},
          random_{options_.seed + earlier_.intents.size()},
          client_{make_client()} {}

    int run() {
        for (const std::string& key : earlier_.open()) {
            if (const int failed = ask({key}); failed != 0) {
                return failed;
            }
        }
        for (std::size_t made = earlier_.intents.size(); !ending;) {
            const std::size_t batch = random_() % 2 == 0 ? 1 : 2 + random_() % 30;
            std::vector<std::string> keys;
            std::string lines;
            for (std::size_t at = 0; at < batch; ++at) {
                keys.push_back(options_.name + "-" + std::to_string(++made));
                lines += "I " + keys.back() + "\n";
            }
            writer_.write(lines);
            if (const int failed = ask(keys); failed != 0) {
                return failed;
            }
            since_look_ += batch;
            if (since_look_ >= std::min<std::size_t>(200, options_.in_line_most / 2)) {
                since_look_ = 0;
                wait_for_room();
            }
        }
        return 0;
    }

   private:
    [[nodiscard]] libqueue::client make_client() const {
        libqueue::client_options how{options_.dsn};
        how.application_name = "producer " + options_.name;
        how.connect_timeout = 2s;
        return libqueue::client{how};
    }

    /// Until they are acknowledged.
    int ask(const std::vector<std::string>& keys) {
        const auto give_up = std::chrono::steady_clock::now() + 60s;
        for (;;) {
            try {
                const auto ids = enqueue(keys);
                if (ids.has_error()) {
                    std::cerr << ids.error().message << "\n";
                    return 4;
                }
                std::string lines;
                for (std::size_t at = 0; at < keys.size(); ++at) {
                    lines += "A " + keys[at] + " " + std::to_string(ids.value()[at]) + "\n";
                }
                writer_.write(lines);
                return 0;
            } catch (const libqueue::failure& why) {
                if (std::chrono::steady_clock::now() > give_up) {
                    std::cerr << why.what() << "\n";
                    return 3;
                }
                if (why.outcome_unknown()) {
                    std::string lines;
                    for (const std::string& key : keys) {
                        lines += "R " + key + "\n";
                    }
                    writer_.write(lines);
                }
                wait(options_.repeat_after);
            }
        }
    }

    libqueue::result<std::vector<libqueue::job_id>> enqueue(const std::vector<std::string>& keys) {
        std::vector<libqueue::new_job> jobs;
        for (const std::string& key : keys) {
            jobs.push_back(job_of(key));
        }
        if (jobs.size() == 1) {
            const auto one = client_.enqueue(jobs.front());
            if (one.has_error()) {
                return one.error();
            }
            if (one->duplicate) {
                writer_.write("D " + keys.front() + "\n");
            }
            return std::vector<libqueue::job_id>{one->id};
        }
        return client_.enqueue_many(jobs);
    }

    [[nodiscard]] libqueue::new_job job_of(const std::string& key) const {
        return faults::job_of(key, options_.ms_most);
    }

    /// The load follows the workers' pace.
    void wait_for_room() {
        const auto has_room = [&] {
            try {
                return ending ||
                       std::stoul(test::query(options_.dsn, "SELECT count(*) FROM queue.ready")) <
                           options_.in_line_most;
            } catch (const test::sql_error&) {
                return true;  // the next enqueue deals with it
            }
        };
        static_cast<void>(test::wait_until(has_room, 60s));
    }

    settings options_;
    faults::journal earlier_;
    faults::journal_writer writer_;
    std::mt19937_64 random_;
    libqueue::client client_;
    std::size_t since_look_{0};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) {
        std::cerr << "usage: see the head of producer_main.cpp\n";
        return 2;
    }
    struct sigaction on_term {};
    on_term.sa_handler = [](int) {
        ending = true;
    };
    ::sigaction(SIGTERM, &on_term, nullptr);
    if (const char* asked = std::getenv("LIBQUEUE_FAILPOINTS"); asked != nullptr) {
        libqueue::arm_failpoints(asked).value();
    }
    return producer{settings{argv}}.run();
}
