// The examples as programs, and the README's code as the regions of them it claims to be.
#include "support/process.hpp"
#include "support/test_database.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace {

std::string read(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// The lines between the two marks `// [name]`.
std::string region(const std::string& text, const std::string& name) {
    const std::string mark = "// [" + name + "]\n";
    const std::size_t begin = text.find(mark);
    REQUIRE(begin != std::string::npos);
    const std::size_t from = begin + mark.size();
    const std::size_t to = text.find(mark, from);
    REQUIRE(to != std::string::npos);
    return text.substr(from, text.rfind('\n', to) + 1 - from);
}

test::command_result run_example(const std::string& name, const test::test_database& db,
                                 std::vector<std::string> args = {}) {
    test::process_options options{test::binary("example_" + name), std::move(args)};
    options.env.emplace_back("DATABASE_URL", db.dsn());
    return test::run_command(options);
}

}  // namespace

TEST_CASE("examples: a typed job is enqueued once under its key and handled") {
    const test::test_database db;

    const auto first = run_example("01_enqueue", db);
    const auto second = run_example("01_enqueue", db);
    const auto worker = run_example("03_worker", db, {"1"});

    CHECK(first.code == 0);
    CHECK(first.output == second.output);
    CHECK(worker.code == 0);
    CHECK(worker.output == "hello world, attempt 1\nhello world, attempt 1\n");
    CHECK(db.query("SELECT string_agg(state || output::text, ',') FROM queue.jobs") ==
          "completed{\"greeted\": true}");
}

TEST_CASE("examples: a job enqueued in the caller's transaction commits with it") {
    const test::test_database db;

    const auto result = run_example("02_enqueue_in_transaction", db);

    CHECK(result.code == 0);
    CHECK(db.query("SELECT count(*) FROM example_order") == "1");
    CHECK(db.query("SELECT id FROM queue.jobs") + "\n" == result.output);
}

TEST_CASE("examples: an effect asserted under the lease happens once") {
    const test::test_database db;

    const auto result = run_example("04_exactly_once_effect", db);

    CHECK(result.code == 0);
    CHECK(db.query("SELECT count(*) || ' ' || sum(cents) FROM example_credit") == "1 500");
    CHECK(db.query("SELECT state FROM queue.jobs") == "completed");
}

TEST_CASE("examples: a payment whose reply is lost is found out about and not made again") {
    const test::test_database db;

    const auto result = run_example("11_effects", db);

    CHECK_MESSAGE(result.code == 0, result.errors);
    CHECK(result.output == "completed, charged 1 time\n");
    CHECK(db.query("SELECT string_agg(outcome::text, ' ' ORDER BY lease_id) FROM queue.attempt") ==
          "unknown completed");
    CHECK(db.query("SELECT state || ' ' || key FROM queue.effects") == "committed order-7:charge");
    CHECK(db.query("SELECT message FROM queue.job_logs") ==
          "the charge order-7:charge happened: ch_1");
}

TEST_CASE("examples: a processor of one's own counts what it granted and spent exactly once") {
    const test::test_database db;

    const auto result = run_example("12_processor", db);

    CHECK_MESSAGE(result.code == 0, result.errors);
    CHECK(result.output == "spend 450: completed\nspend 450: dead\n");
    CHECK(db.query("SELECT string_agg(name || ' ' || points, ', ' ORDER BY name) "
                   "FROM loyalty.account") == "ada 50, ben 500");
    CHECK(db.query("SELECT topic || ' ' || count FROM queue.unrouted_topics") == "loyalty.spent 1");
}

TEST_CASE("examples: reservations that ran out are freed by a schedule of each tenant") {
    const test::test_database db;

    const auto result = run_example("06_reservation_cleanup", db, {"* * * * * *"});

    CHECK_MESSAGE(result.code == 0, result.errors);
    CHECK(db.query("SELECT count(*) || ' ' || count(DISTINCT tenant_id) FROM example_reservation "
                   "WHERE held_until > now()") == "4 2");
    CHECK(db.query("SELECT count(*) FROM example_reservation WHERE held_until <= now()") == "0");
    CHECK(db.query("SELECT count(DISTINCT tenant_id) FROM queue.jobs WHERE state = 'completed' "
                   "AND (output->>'freed')::int = 4") == "2");
}

TEST_CASE("examples: an event becomes a notification of each who subscribed") {
    const test::test_database db;

    const auto result = run_example("10_notification_fan_out", db);

    CHECK_MESSAGE(result.code == 0, result.errors);
    CHECK(result.output == "6 notifications\n");
    CHECK(db.query("SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (SELECT kind, "
                   "count(*) AS n FROM queue.jobs WHERE state = 'completed' GROUP BY kind) x") ==
          "example.notify.receipt 2, example.notify.seller 3, example.notify.thanks 1");
    CHECK(db.query("SELECT topic FROM queue.unrouted_topics") == "refunds.requested");
    CHECK(db.query("SELECT count(*) FROM example_paid_order") == "4");
}

TEST_CASE("examples: of the carts that were left, the one nobody bought is reminded of once") {
    const test::test_database db;

    const auto result = run_example("07_abandoned_cart", db, {"300ms"});

    CHECK_MESSAGE(result.code == 0, result.errors);
    // Replaced by the second touch; bought; bought unnoticed; the second touch.
    CHECK(db.query("SELECT string_agg(concat_ws(' ', state, output->>'reminded', last_error), ', '"
                   " ORDER BY id) FROM queue.jobs WHERE kind = 'example.cart.remind'") ==
          "cancelled the cart was touched again, cancelled the cart was bought, "
          "completed false, completed true");
    CHECK(db.query("SELECT string_agg(state || ' ' || (payload->>'to'), ',') FROM queue.jobs "
                   "WHERE kind = 'example.cart.mail'") == "completed ada@example.com");
    CHECK(db.query("SELECT bool_and(a.started_at >= j.created_at + interval '300 ms') "
                   "FROM queue.jobs j JOIN queue.attempt a ON a.job_id = j.id "
                   "WHERE j.kind = 'example.cart.remind' AND j.state = 'completed'") == "t");
    CHECK(result.output.find("\nmail to ada@example.com: You left something in your cart\n") !=
          std::string::npos);
    CHECK(result.output.find("mail to ben") == std::string::npos);
}

TEST_CASE("examples: campaigns keep to their limits, are split by recipient, and report") {
    const test::test_database db;

    const auto result = run_example("08_campaign_send", db);

    CHECK_MESSAGE(result.code == 0, result.errors);
    CHECK(db.query("SELECT string_agg(concat_ws(' ', name, state, total, succeeded, failed), ', ' "
                   "ORDER BY id) FROM queue.batches") ==
          "spring PARTIAL_SUCCESS 100 99 1, club COMPLETED 9 9 0");
    CHECK(db.query("SELECT string_agg(campaign || ' ' || n, ', ' ORDER BY n DESC) FROM (SELECT "
                   "campaign, count(*) AS n FROM example_campaign_mail GROUP BY 1) c") ==
          "spring 99, club 9");
    // The hash is the same everywhere, so these do not change from run to run.
    CHECK(db.query("SELECT string_agg(output::text, ' ' ORDER BY payload->'batch_id') FROM "
                   "queue.jobs WHERE kind = 'example.campaign.report' AND state = 'completed'") ==
          R"({"A": 48, "B": 51} {"A": 5, "B": 4})");
    const std::string mails =
        "(SELECT a.started_at, j.payload FROM queue.jobs j JOIN queue.attempt a ON a.job_id = j.id "
        "WHERE j.kind = 'example.campaign.mail' AND a.outcome <> 'snoozed') m";
    // Of the provider twenty at once and a hundred per second; of a recipient one per second, so
    // the club's mail waits. A machine that stalls starts them late, which brings two together.
    CHECK(db.query("SELECT bool_and(waited >= (place - 20) * interval '10 ms' - interval '50 ms') "
                   "FROM (SELECT started_at - min(started_at) OVER () AS waited, "
                   "row_number() OVER (ORDER BY started_at) AS place FROM " +
                   mails + ") w") == "t");
    CHECK(db.query("SELECT count(*) || ' ' || bool_and(apart >= '0.5 s') FROM (SELECT "
                   "max(started_at) - min(started_at) AS apart FROM " +
                   mails + " GROUP BY payload->>'to' HAVING count(*) = 2) r") == "9 true");
}

TEST_CASE("examples: a sync that was stopped goes on where it was, and never beside another") {
    const test::test_database db;

    const auto result = run_example("09_data_sync", db);

    CHECK_MESSAGE(result.code == 0, result.errors);
    CHECK(db.query("SELECT count(*) FROM example_product_copy") == "500");
    CHECK(
        db.query("SELECT string_agg(a.outcome::text, ' ' ORDER BY a.lease_id) FROM queue.attempt a "
                 "WHERE a.job_id = (SELECT min(id) FROM queue.jobs)") ==
        "cancelled replayed completed");
    const std::string copies = "FROM queue.jobs WHERE kind = 'example.sync'";
    // The stopped one wrote the rest and no more; the other one found nothing to change.
    CHECK(db.query("SELECT string_agg(output::text, ' ' ORDER BY id) " + copies) ==
          R"({"to": 500, "from": 150, "changed": 350} {"to": 500, "from": 0, "changed": 0})");
    CHECK(db.query("WITH ran AS (SELECT * FROM queue.attempt WHERE outcome <> 'replayed' AND "
                   "job_id IN (SELECT id " +
                   copies +
                   ")) SELECT count(*) FROM ran a JOIN ran b "
                   "ON a.lease_id < b.lease_id AND b.started_at < a.finished_at") == "0");
    CHECK(db.query("SELECT output FROM queue.jobs WHERE kind = 'example.sync.due'") ==
          "{\"started\": false}");
}

TEST_CASE("examples: a test with the test kit passes, on a server of its own and on a given one") {
    const test::test_database db;
    for (const std::string& server : {std::string{}, db.dsn()}) {
        CAPTURE(server);
        test::process_options options{test::binary("example_05_testing"), {}};
        options.env.emplace_back("LIBQUEUE_TEST_DSN", server);

        const auto result = test::run_command(options);

        CHECK_MESSAGE(result.code == 0, result.errors);
        CHECK(result.output == "1 run, greylisted\ncompleted\n");
    }
    CHECK(db.query("SELECT count(*) FROM pg_database WHERE datname LIKE 'libqueue_test_%'") == "0");
}

TEST_CASE("examples: the README shows the code that is compiled here") {
    const std::filesystem::path top = test::source_dir();
    const std::string readme = read(top / "README.md");

    CHECK(readme.find(region(read(top / "examples/01_enqueue.cpp"), "enqueue")) !=
          std::string::npos);
    CHECK(readme.find(region(read(top / "examples/03_worker.cpp"), "handle")) != std::string::npos);
    const std::string testing = read(top / "docs/testing.md");
    CHECK(testing.find(region(read(top / "examples/05_testing.cpp"), "testing")) !=
          std::string::npos);
}
