// Ordering and concurrency keys over processes that are killed at their work. LIBQUEUE_KEY_JOBS
// makes it more of them.

#include "key_ledger.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using std::chrono_literals::operator""s;

namespace {

int jobs_wanted() {
    const char* const given = std::getenv("LIBQUEUE_KEY_JOBS");
    return given != nullptr ? std::stoi(given) : 6'000;
}

class fleet {
   public:
    explicit fleet(const test::test_database& db) : dsn_{db.dsn()}, ledger_{folder_.path() / "l"} {}

    void start(int number) {
        const auto at = static_cast<std::size_t>(number);
        members_.resize(std::max(members_.size(), at + 1));
        members_[at] = std::make_unique<test::process>(
            test::process_options{test::binary("keys_worker"),
                                  {dsn_, (folder_.path() / "l").string(), std::to_string(number)}});
    }
    void kill(int number) {
        members_[static_cast<std::size_t>(number)]->kill();
        ledger_.forget(number);
    }
    [[nodiscard]] const test::key_ledger& ledger() const { return ledger_; }

   private:
    std::string dsn_;
    test::temp_dir folder_;
    test::key_ledger ledger_;
    std::vector<std::unique_ptr<test::process>> members_;
};

}  // namespace

TEST_SUITE("keys over processes") {
    TEST_CASE("order and concurrency by key hold while workers are killed") {
        const test::test_database db;
        fleet workers{db};
        const int each = jobs_wanted() / 2;
        for (int n = 0; n < 3; ++n) {
            workers.start(n);
        }
        REQUIRE(test::wait_until(
            [&] { return db.query("SELECT count(*) FROM queue.worker") == "3"; }, 30s));
        // Hundreds of keys with an order, and a few that three may share.
        db.execute(
            "SELECT count(queue.enqueue('keys.step', jsonb_build_object('key', n % 200, 'most', 1, "
            "'step', n / 200 + 1), ordering_key => (n % 200)::text)) "
            "FROM generate_series(0, " +
            std::to_string(each - 1) + ") n");
        db.execute(
            "SELECT count(queue.enqueue('keys.wide', jsonb_build_object('key', 500 + n % 50, "
            "'most', 3), concurrency_key => 'w' || n % 50, key_concurrency => 3)) "
            "FROM generate_series(0, " +
            std::to_string(each - 1) + ") n");

        int kills = 0;
        const auto finished = [&] {
            return std::stoi(
                db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'completed'"));
        };
        while (kills < 8) {
            const int before = finished();
            if (before >= 2 * each) {
                break;
            }
            REQUIRE(test::wait_until(
                [&] { return finished() >= before + each / 6 || finished() >= 2 * each; },
                test::scaled(120s)));
            workers.kill(kills % 3);
            workers.start(kills % 3);
            ++kills;
        }
        REQUIRE(test::wait_until([&] { return finished() == 2 * each; }, test::scaled(300s)));

        const test::key_ledger& seen = workers.ledger();
        MESSAGE(seen.runs() << " runs of " << 2 * each << " jobs, " << kills
                            << " kills; most at once under one key " << seen.highest());
        CHECK(kills >= 3);
        CHECK(seen.too_many() == 0);
        CHECK(seen.out_of_order() == 0);
        CHECK(seen.highest() == 3);
        // Nothing is left behind.
        CHECK(db.query("SELECT count(*) FROM queue.key_wait") == "0");
        CHECK(db.query("SELECT count(*) FROM queue.key_hold") == "0");
    }
}
