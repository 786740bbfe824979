// A worker whose handlers note in the ledger what they see. Arguments: DSN LEDGER NUMBER

#include "key_ledger.hpp"

#include <libqueue/libqueue.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <string>

namespace {

using libqueue::job_context;
using libqueue::outcome;

class handlers {
   public:
    handlers(const char* file, int number) : ledger_{file}, number_{number} {}

    libqueue::registration of_kind(const char* kind) {
        libqueue::registration made{kind};
        made.options.crash_budget = 1'000;
        made.options.max_attempts = 1'000;
        made.options.retry.base = std::chrono::milliseconds{1};
        made.options.retry.cap = std::chrono::milliseconds{20};
        made.handle = [this](job_context& context) {
            return run(context);
        };
        return made;
    }

   private:
    // Not a lambda: see the house rules on coroutines.
    boost::asio::awaitable<outcome> run(job_context& context) {
        const boost::json::value payload = boost::json::parse(context.payload());
        const int key = static_cast<int>(payload.at("key").as_int64());
        const int most = static_cast<int>(payload.at("most").as_int64());
        ledger_.enter(number_, key, most);
        if (most == 1) {
            ledger_.in_order(key, payload.at("step").as_int64());
        }
        const int dice = std::uniform_int_distribution<int>{0, 99}(random_);
        if (dice < 50) {
            co_await context.sleep(std::chrono::milliseconds{dice / 10});
        }
        ledger_.leave(number_, key);
        if (dice == 99) {
            co_return libqueue::retry("once more");
        }
        co_return libqueue::completed();
    }

    test::key_ledger ledger_;
    int number_;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "keys_worker: expected DSN LEDGER NUMBER\n";
        return 2;
    }
    handlers all{argv[2], std::stoi(argv[3])};
    libqueue::worker_options options;
    options.dsn = argv[1];
    options.heartbeat = std::chrono::milliseconds{200};
    options.lease = std::chrono::seconds{1};
    options.queues.emplace_back("default", 40);
    libqueue::worker worker{options, {all.of_kind("keys.step"), all.of_kind("keys.wide")}};
    worker.run();
    return 0;
}
