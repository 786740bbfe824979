#include "observe/keeper.hpp"

#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace workerd::observe;

namespace {

/// A depth of more than nothing, told to one channel.
alert_rule any_depth(std::string name, std::string severity, std::string channel) {
    alert_rule made;
    made.name = std::move(name);
    made.when = "depth";
    made.severity = std::move(severity);
    made.channels = {std::move(channel)};
    return made;
}

libqueue::measure level(std::string name, double value) {
    return {libqueue::measure::type::level, std::move(name), value, {}};
}

/// A channel that hangs until it is let go, and then takes nothing.
class hanging_channel {
   public:
    void hang() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return free_; });
    }
    void let_go() {
        {
            const std::lock_guard lock{mutex_};
            free_ = true;
        }
        changed_.notify_all();
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool free_{false};
};

/// A keeper as workerd has it, on a database of its own.
class bench {
   public:
    explicit bench(std::vector<alert_rule> rules = {},
                   std::chrono::milliseconds look_interval = 200ms) {
        given_.holder = "one";
        given_.look_interval = look_interval;
        given_.rules = std::move(rules);
        keeper_ = std::make_unique<keeper>(given_, libqueue::client_options{db.dsn()}, jobs_, told_,
                                           gauges_, log_);
    }
    ~bench() {
        slack.let_go();
        keeper_->stop();
    }
    bench(const bench&) = delete;
    bench& operator=(const bench&) = delete;

    /// Every channel but slack takes what it is told at once.
    void start() {
        keeper_->tell_by([this](const notice& what, const std::string& channel) {
            {
                const std::lock_guard lock{mutex_};
                notices_.push_back(what.rule);
            }
            if (channel == "slack")
                slack.hang();
            return channel != "slack";
        });
        keeper_->start([] { return true; });
    }
    [[nodiscard]] std::vector<std::string> notices() const {
        const std::lock_guard lock{mutex_};
        return notices_;
    }
    [[nodiscard]] bool tells(const std::string& rule) const {
        return test::wait_until([&] {
            const auto told = notices();
            return std::find(told.begin(), told.end(), rule) != told.end();
        });
    }
    [[nodiscard]] std::string held_until() const {
        return db.query("SELECT held_until FROM queue.duty WHERE name = 'observe'");
    }
    /// Twice: the first may have been under way already.
    [[nodiscard]] bool renews_its_duty() const {
        for (int i = 0; i < 2; ++i) {
            const auto before = held_until();
            if (!test::wait_until([&] { return held_until() > before; }))
                return false;
        }
        return true;
    }
    [[nodiscard]] keeper& under_test() { return *keeper_; }

    test::test_database db;
    hanging_channel slack;

   private:
    mutable std::mutex mutex_;
    std::vector<std::string> notices_;
    std::ostringstream lines_;
    workerd::logger log_{workerd::log_level::info, workerd::log_format::json, lines_};
    job_counters jobs_;
    metric_set told_;
    metric_set gauges_;
    options given_;
    std::unique_ptr<keeper> keeper_;
};

}  // namespace

TEST_SUITE("keeper") {
    TEST_CASE("a level the database refuses keeps it from nothing, and later ones are written") {
        bench b;
        b.under_test().put_level(level("broken", std::numeric_limits<double>::quiet_NaN()));
        b.start();
        REQUIRE(test::wait_until([&] { return b.under_test().leads(); }));

        b.under_test().put_level(level("solana_wallet_balance_sol", 1.5));

        CHECK(test::wait_until([&] {
            return b.db.query("SELECT string_agg(name || value, ' ') FROM queue.level") ==
                   "solana_wallet_balance_sol1.5";
        }));
    }

    TEST_CASE("a channel that hangs delays no critical notice of others and not the duty") {
        bench b{{any_depth("a", "warning", "slack"), any_depth("b", "warning", "slack"),
                 any_depth("c", "warning", "log"), any_depth("d", "critical", "sms")}};
        b.db.execute("SELECT queue.enqueue('a.b', '{}', delay => '1 hour')");
        b.start();

        CHECK(b.tells("a"));
        CHECK(b.tells("d"));
        CHECK(b.renews_its_duty());
        b.slack.let_go();
        for (const auto* const rule : {"b", "c"})
            CHECK(b.tells(rule));
    }

    TEST_CASE("who has lost the duty tells nobody any more") {
        bench b{{any_depth("a", "critical", "slack"), any_depth("b", "warning", "slack")}};
        b.db.execute("SELECT queue.enqueue('a.b', '{}', delay => '1 hour')");
        b.start();
        REQUIRE(b.tells("a"));

        b.db.execute(
            "UPDATE queue.duty SET holder = 'two', held_until = now() + interval '1 hour'");
        CHECK(test::wait_until([&] { return !b.under_test().leads(); }));
        b.slack.let_go();
        b.under_test().stop();

        CHECK(b.notices() == std::vector<std::string>{"a"});
        CHECK(b.db.query("SELECT holder FROM queue.duty WHERE name = 'observe'") == "two");
    }

    TEST_CASE("leaving waits for the notice on its way, begins none and lets the duty go then") {
        // It looks once: a level told later is written when it leaves.
        bench b{{any_depth("a", "critical", "slack"), any_depth("b", "warning", "slack")}, 1h};
        b.db.execute("SELECT queue.enqueue('a.b', '{}', delay => '1 hour')");
        b.start();
        REQUIRE(b.tells("a"));
        b.under_test().put_level(level("told_late", 1));

        std::thread leaving{[&] {
            b.under_test().stop();
        }};
        const bool leaves =
            test::wait_until([&] { return b.db.query("SELECT count(*) FROM queue.level") == "1"; });
        const auto held = b.held_until();
        b.slack.let_go();
        leaving.join();

        CHECK(leaves);
        CHECK(b.notices() == std::vector<std::string>{"a"});
        CHECK(b.held_until() < held);
        CHECK(b.db.query("SELECT pending FROM queue.alert WHERE rule = 'a'") == "{slack}");
    }
}
