// The examples of examples/ticketing with every processor in one workerd and real other sides.
#include "support/counterpart.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using test::provider_fault;

namespace {

/// A platform: its database, its workers, and everybody it talks to.
class platform {
   public:
    platform() {
        std::string text =
            "queues: {money: {concurrency: 20}, communication: {concurrency: 20}, "
            "background: {concurrency: 20}, default: {}}\n"
            "http: {enabled: false}\n"
            "worker: {heartbeat: 200ms, lease: 2s, poll_interval: 250ms}\n"
            "limits:\n"
            "  stripe: {burst: 1000, rate: 1000/s, concurrency: 100}\n"
            "  solana: {concurrency: 100}\n"
            "kinds:\n";
        for (const char* const kind :
             {"payment.process", "refund.full", "ticket.mint", "email.send", "webhook.publish",
              "webhook.event", "analytics.event"}) {
            text += "  " + std::string{kind} +
                    ": {max_attempts: 200, crash_budget: 100, "
                    "retry: {strategy: fixed, base: 100ms, cap: 100ms, jitter: false}}\n";
        }
        text += "processors:\n";
        for (const auto* const each : all()) {
            text += each->processors_yaml();
        }
        config_ = files_.write("workerd.yaml", text).string();
        start();
        for (const auto* const each : all()) {
            if (!each->preparation_sql().empty()) {
                psql({"-c", each->preparation_sql()});
            }
        }
    }

    void start() {
        workers_.push_back(std::make_unique<test::process>(test::process_options{
            test::binary("workerd"), {"--config", config_, "--db", db.dsn()}}));
        REQUIRE_MESSAGE(workers_.back()->wait_for_text("worker_ready"), workers_.back()->errors());
    }
    void kill_and_replace() {
        workers_.back()->kill();
        workers_.pop_back();
        start();
    }
    void fail_with(provider_fault fault) const {
        for (auto* const each : all()) {
            each->fail_with(fault);
        }
    }

    /// Runs psql with these arguments.
    void psql(const std::vector<std::string>& more) const {
        std::vector<std::string> args{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", db.dsn()};
        args.insert(args.end(), more.begin(), more.end());
        const auto done = test::run_command(test::process_options{"psql", args});
        REQUIRE_MESSAGE(done.code == 0, done.errors);
    }
    void run_example(const std::string& file,
                     const std::map<std::string, std::string>& with) const {
        std::vector<std::string> args;
        for (const auto& [name, value] : with) {
            args.insert(args.end(), {"-v", name + "=" + value});
        }
        args.insert(args.end(),
                    {"-f", (test::source_dir() / "examples/ticketing" / file).string()});
        psql(args);
    }
    void buy(int number) const {
        const std::string n = std::to_string(number);
        run_example("purchase.sql", {{"tenant", ""},
                                     {"order_id", "o-" + n},
                                     {"amount", "4500"},
                                     {"currency", "eur"},
                                     {"payment_method", "pm_card_visa"},
                                     {"ticket", "T-" + n},
                                     {"customer", n},
                                     {"wallet", "4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA"},
                                     {"email", "customer" + n + "@example.com"}});
    }
    [[nodiscard]] bool all_ended(int jobs, std::chrono::milliseconds deadline = 60s) const {
        return test::wait_until(
            [&] {
                return db.query(
                           "SELECT count(*) >= $1::int AND bool_and(state IN ('completed', "
                           "'dead', 'cancelled')) FROM queue.jobs",
                           {std::to_string(jobs)}) == "t";
            },
            test::scaled(deadline));
    }
    [[nodiscard]] std::string open() const {
        return db.query(
            "SELECT string_agg(kind || ' ' || state || ' ' || coalesce(last_error, ''),"
            " '; ') FROM queue.jobs WHERE state <> 'completed'");
    }
    [[nodiscard]] std::string completed() const {
        return db.query(
            "SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (SELECT kind, "
            "count(*) AS n FROM queue.jobs WHERE state = 'completed' GROUP BY 1) x");
    }

    test::test_database db;
    std::unique_ptr<test::counterpart> stripe{test::make_payment_counterpart()};
    std::unique_ptr<test::counterpart> chain{test::make_mint_counterpart()};
    std::unique_ptr<test::counterpart> mail{test::make_email_counterpart()};
    std::unique_ptr<test::counterpart> hook{test::make_webhook_counterpart()};
    std::unique_ptr<test::counterpart> counting{test::make_analytics_counterpart()};

   private:
    [[nodiscard]] std::vector<test::counterpart*> all() const {
        return {stripe.get(), chain.get(), mail.get(), hook.get(), counting.get()};
    }
    test::temp_dir files_;
    std::string config_;
    std::vector<std::unique_ptr<test::process>> workers_;
};

}  // namespace

TEST_CASE("purchase: each step is enqueued in the transaction that finishes the one before") {
    const platform t;
    t.buy(1);
    t.buy(1);  // A second click.

    REQUIRE_MESSAGE(t.all_ended(6), t.open());
    CHECK(t.completed() ==
          "analytics.event 1, email.send 1, payment.process 1, ticket.mint 1, "
          "webhook.event 1, webhook.publish 1");
    CHECK(t.stripe->effects() == 1);
    CHECK(t.chain->effects() == 1);
    CHECK(t.mail->effects() == 1);
    CHECK(t.hook->effects() == 1);
    CHECK(t.db.query("SELECT count(*) FROM analytics.event") == "1");
    // A follower carries the transaction that recorded what it follows.
    CHECK(t.db.query("SELECT count(*) FROM queue.job j JOIN queue.attempt a "
                     "ON a.xmin::text = j.xmin::text AND a.job_id <> j.id") == "5");
    // The mail tells the address that the mint gave.
    CHECK(t.db.query("SELECT (SELECT payload->'variables'->>'mint_address' FROM queue.jobs WHERE "
                     "kind = 'email.send') = (SELECT output->>'address' FROM queue.jobs WHERE kind "
                     "= 'ticket.mint')") == "t");
    CHECK(t.db.query("SELECT jobs FROM queue.erase('customer-1')") == "5");
}

TEST_CASE("purchase: with failing providers and killed workers every step happens once") {
    platform t;
    constexpr int orders = 12;
    t.fail_with(provider_fault::random);
    for (int order = 1; order <= orders; ++order) {
        t.buy(order);
        if (order % 4 == 0) {
            t.kill_and_replace();
        }
    }
    static_cast<void>(t.all_ended(6 * orders, 3s));
    t.kill_and_replace();
    t.fail_with(provider_fault::none);

    REQUIRE_MESSAGE(t.all_ended(6 * orders, 120s), t.open());
    CHECK_MESSAGE(t.completed() ==
                      "analytics.event 12, email.send 12, payment.process 12, ticket.mint 12, "
                      "webhook.event 12, webhook.publish 12",
                  t.open());
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome <> 'completed'") != "0");
    CHECK(t.stripe->effects() == orders);
    CHECK(t.chain->effects() == orders);
    CHECK(t.mail->effects() == orders);
    CHECK(t.hook->effects() == orders);
    CHECK(t.db.query("SELECT count(*) FROM analytics.event") == "12");
}

TEST_CASE("event cancelled: what can be refunded is, once; the rest is listed") {
    const platform t;
    t.db.execute("CREATE TABLE shop_order (order_id text, event text, email text)");
    for (int order = 1; order <= 6; ++order) {
        const std::string n = std::to_string(order);
        t.db.execute("INSERT INTO shop_order VALUES ($1, 'summer-night', $2)",
                     {"o-" + n, "customer" + n + "@example.com"});
        // The sixth was never paid.
        if (order < 6) {
            t.db.execute("SELECT queue.enqueue('payment.process', $1::jsonb)",
                         {R"({"order_id": "o-)" + n +
                          R"(", "amount": 1000, "currency": "eur", "payment_method": "pm_1"})"});
        }
    }
    REQUIRE_MESSAGE(t.all_ended(5), t.open());
    // The fifth was refunded before: there is nothing left to give back, which is as good.
    t.db.execute("SELECT queue.enqueue('refund.full', $1::jsonb)", {R"({"order_id": "o-5"})"});
    REQUIRE_MESSAGE(t.all_ended(6), t.open());

    t.run_example("event_cancelled.sql", {{"tenant", ""}, {"event", "summer-night"}});

    REQUIRE(test::wait_until(
        [&] {
            return t.db.query(
                       "SELECT coalesce(max(state) IN ('COMPLETED', 'FAILED', "
                       "'PARTIAL_SUCCESS'), false) FROM queue.batches") == "t";
        },
        test::scaled(60s)));
    CHECK_MESSAGE(t.db.query("SELECT concat_ws(' ', state, total, succeeded, failed) "
                             "FROM queue.batches") == "PARTIAL_SUCCESS 6 5 1",
                  t.open());
    REQUIRE(t.all_ended(6 + 6 + 5));
    CHECK(t.mail->effects() == 5);
    CHECK(t.db.query("SELECT string_agg(payload->>'order_id', ' ' ORDER BY id) FROM queue.jobs "
                     "WHERE kind = 'refund.full' AND state = 'dead'") == "o-6");
    CHECK(t.db.query("SELECT count(*) FROM payments.refund WHERE state = 'done'") == "5");
}
