#include "faults_producer.hpp"

#include "support/query.hpp"
#include "support/wait_until.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace faults {

namespace {

using namespace std::chrono_literals;

constexpr int most_in_line = 300;
constexpr std::size_t look_every = 25;

class work {
   public:
    std::string kind;
    std::string payload;
};

work draw(std::mt19937_64& random) {
    const auto dice = random() % 10;
    if (dice == 0) {
        return {"debug.fail", R"({"times":1})"};
    }
    if (dice < 5) {
        return {"debug.noop", "{}"};
    }
    return {"debug.sleep", "{\"ms\":" + std::to_string(5 + random() % 46) + "}"};
}

}  // namespace

producer::producer(std::string dsn, mode how, std::uint64_t seed)
    : dsn_{std::move(dsn)}, mode_{how}, random_{seed}, thread_{[this] {
          run();
      }} {}

producer::~producer() {
    ending_ = true;
    if (thread_.joinable()) {
        thread_.join();
    }
}

bool producer::wait_for_more(std::size_t more) const {
    const auto target = acknowledged() + more;
    return test::wait_until([&] { return acknowledged() >= target; }, 30s);
}

journal producer::finish() {
    ending_ = true;
    thread_.join();
    return journal_;
}

void producer::run() {
    std::optional<test::connection> db;
    try {
        while (!ending_) {
            enqueue_one(db);
            if (acknowledged() % look_every == 0) {
                wait_for_room(*db);
            }
        }
    } catch (const std::exception& why) {
        journal_.refused = why.what();
    }
}

void producer::enqueue_one(std::optional<test::connection>& db) {
    const work job = draw(random_);
    const std::string key = "order-" + std::to_string(acknowledged() + 1);
    std::string id;
    const auto said = [&] {
        try {
            if (!db) {
                db.emplace(dsn_);
            }
            id = mode_ == mode::plain
                     ? db->query("SELECT queue.enqueue($1, $2::jsonb)", {job.kind, job.payload})
                     : db->query("SELECT queue.enqueue($1, $2::jsonb, idempotency_key => $3)",
                                 {job.kind, job.payload, key});
            return true;
        } catch (const test::sql_error& why) {
            // The queue's own refusals have a class of their own and are never a fault's doing.
            if (mode_ == mode::plain || why.sqlstate().starts_with("LQ")) {
                throw;
            }
            db.reset();
            ++journal_.repeats;
            return false;
        }
    };
    if (!test::wait_until(said, 60s)) {
        throw std::runtime_error{"the database did not come back within 60 s"};
    }
    journal_.ids.push_back(std::stoll(id));
    if (mode_ == mode::keyed) {
        journal_.keys.emplace(key, journal_.ids.back());
    }
    ++acknowledged_;
}

void producer::wait_for_room(test::connection& db) {
    const auto has_room = [&] {
        try {
            return ending_ ||
                   std::stoi(db.query("SELECT count(*) FROM queue.ready")) < most_in_line;
        } catch (const test::sql_error&) {
            return true;  // the next enqueue deals with it
        }
    };
    static_cast<void>(test::wait_until(has_room, 60s));
}

}  // namespace faults
