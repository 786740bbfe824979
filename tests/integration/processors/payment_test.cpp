#include "payment_bench.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace {

using namespace std::chrono_literals;
using libqueue::job_state;
using test::mentions;
using fault = test::stripe_server::fault;

/// Keys of the requests that may change something and went to this path.
std::vector<std::string> keys_of(const test::stripe_server& stripe, const std::string& path) {
    std::vector<std::string> keys;
    for (const auto& request : stripe.mutations()) {
        if (request.target == path) {
            keys.push_back(request.header("idempotency-key"));
        }
    }
    return keys;
}

const std::string tenant = "7d8f4c5e-1111-4222-8333-944455556666";

}  // namespace

TEST_SUITE("payment: Stripe") {
    TEST_CASE("a payment is made once and told to whom it concerns") {
        test::payment_bench bench;
        const auto job = bench.run(
            "payment.process",
            test::payment_bench::payment("o1", 1250, "pm_card_visa", R"(,"metadata":{"a b":"1"})"));
        CHECK(job.state == job_state::dead);  // a blank cannot be in a name
        const auto done =
            bench.run("payment.process", test::payment_bench::payment("o1", 1250), tenant);
        REQUIRE(done.state == job_state::completed);
        CHECK(done.output->find(R"("state": "succeeded")") != std::string::npos);
        CHECK(done.output->find(R"("captured": 1250)") != std::string::npos);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        CHECK_EQ(bench.state_of("o1"), "succeeded");
        CHECK_EQ(bench.published("payment.completed"), "1");
        const auto keys = keys_of(bench.stripe, "/v1/payment_intents");
        REQUIRE_EQ(keys.size(), 1);
        CHECK(keys[0].starts_with("lq:" + tenant + ":" + std::to_string(done.id) + "-"));
        CHECK(keys[0].ends_with(":create"));
        CHECK(bench.stripe.complaints().empty());
    }

    TEST_CASE("a lost reply is found out about with the same key, and charged once") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::lost_reply, 4);
        const auto job = bench.pay("o1");
        CHECK(job.state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        const auto keys = keys_of(bench.stripe, "/v1/payment_intents");
        CHECK_EQ(keys.size(), 5);
        CHECK_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 1);
        CHECK_EQ(bench.published("payment.completed"), "1");
    }

    TEST_CASE("a saved 500 that did nothing is proven to, and a new key is used") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::saved_500);
        const auto job = bench.pay("o1");
        CHECK(job.state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        const auto keys = keys_of(bench.stripe, "/v1/payment_intents");
        REQUIRE_EQ(keys.size(), 2);
        CHECK_EQ(keys[1], keys[0] + ".1");
    }

    TEST_CASE("a saved 500 that did charge is found at Stripe and not charged again") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::acted_500);
        const auto job = bench.pay("o1");
        CHECK(job.state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        CHECK_EQ(keys_of(bench.stripe, "/v1/payment_intents").size(), 1);
    }

    TEST_CASE("after a saved 500 without a look at Stripe nothing is sent") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::acted_500);
        bench.stripe.fail_reads(fault::down);
        const auto id = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'unknown'", "t"));
        // The same key brings the same saved answer for as long as it may be looked at.
        bench.stripe.fail_reads(fault::none);
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a day later Stripe has forgotten the key, and is asked before it is charged again") {
        test::payment_bench bench;
        // The charge happens, its reply is lost, and Stripe is away for the rest of the day.
        bench.stripe.fail_next(fault::lost_reply);
        bench.stripe.fail_next(fault::down, 1'000'000);
        bench.stripe.fail_reads(fault::down);
        const auto id = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(bench.becomes("SELECT count(*) > 0 FROM queue.effects WHERE state = 'begun'", "t"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'unknown'", "t"));
        bench.sleep_a_day();
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a day later, when nothing had happened, it is charged with a new key") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::slow, 1'000'000);
        bench.stripe.set_slow(5s);
        const auto id = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'unknown'", "t"));
        bench.sleep_a_day();
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        CHECK(keys_of(bench.stripe, "/v1/payment_intents").back().ends_with(":create.1"));
    }

    TEST_CASE("a declined card ends the job with the code and can be retried with another") {
        test::payment_bench bench;
        const auto declined = bench.pay("o1", 1000, "pm_declined");
        CHECK(declined.state == job_state::dead);
        CHECK(mentions(declined, "decline_code insufficient_funds"));
        CHECK_EQ(bench.state_of("o1"), "failed");
        CHECK_EQ(bench.published("payment.failed"), "1");
        const auto again =
            bench.run("payment.retry", R"({"order_id":"o1","payment_method":"pm_card_visa"})");
        CHECK(again.state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        CHECK_EQ(bench.state_of("o1"), "succeeded");
        const auto third =
            bench.run("payment.retry", R"({"order_id":"o1","payment_method":"pm_card_visa"})");
        CHECK(third.state == job_state::dead);
        CHECK(mentions(third, "paid already"));
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a lost reply to a second try charges once") {
        test::payment_bench bench;
        (void)bench.pay("o1", 1000, "pm_declined");
        bench.stripe.fail_next(fault::lost_reply, 4);
        const auto again =
            bench.run("payment.retry", R"({"order_id":"o1","payment_method":"pm_card_visa"})");
        CHECK(again.state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a payment that needs the customer waits for them, and says so once") {
        test::payment_bench bench;
        const auto id =
            bench.enqueue("payment.process", test::payment_bench::payment("o1", 1000, "pm_3ds"));
        CHECK(bench.becomes("SELECT state FROM payments.payment", "action_required"));
        CHECK_EQ(bench.published("payment.action_required"), "1");
        CHECK_EQ(bench.database.query("SELECT sample ->> 'next_action_url' FROM "
                                      "queue.unrouted_topics WHERE topic = "
                                      "'payment.action_required'"),
                 "https://hooks.example/3ds/pi_1");
        bench.hurry(id);
        bench.stripe.move_intent("pi_1", "succeeded");
        CHECK(bench.becomes("SELECT payments.poke('stripe', 'pi_1') OR true", "t"));
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.published("payment.action_required"), "1");
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a customer who fails to confirm, or never does, has not paid") {
        test::payment_bench bench;
        const auto failed =
            bench.enqueue("payment.process", test::payment_bench::payment("o1", 1000, "pm_3ds"));
        const auto late =
            bench.enqueue("payment.process", test::payment_bench::payment("o2", 1000, "pm_3ds"));
        CHECK(bench.becomes("SELECT count(*) FROM payments.payment WHERE state = 'action_required'",
                            "2"));
        bench.stripe.move_intent(bench.stripe.intent_of("o1"), "requires_payment_method");
        bench.hurry(failed);
        CHECK(mentions(bench.finished(failed), "authentication_failed"));
        bench.database.execute(
            "UPDATE payments.payment SET created_at = created_at - interval '25 h' "
            "WHERE order_id = 'o2'");
        bench.hurry(late);
        CHECK(mentions(bench.finished(late), "did not confirm the payment in time"));
        CHECK_EQ(bench.state_of("o2"), "cancelled");
        CHECK_EQ(bench.stripe.charges(), 0);
        CHECK_EQ(bench.published("payment.failed"), "2");
    }

    TEST_CASE("money is reserved first and captured once") {
        test::payment_bench bench;
        const auto held = bench.pay("o1", 1000, "pm_card_visa", R"(,"capture":false)");
        REQUIRE(held.state == job_state::completed);
        CHECK_EQ(bench.state_of("o1"), "authorized");
        CHECK_EQ(bench.published("payment.authorized"), "1");
        CHECK(mentions(bench.run("payment.capture", R"({"order_id":"o1","amount":1001})"),
                       "at most what was authorized"));
        bench.stripe.fail_next(fault::lost_reply, 4);
        const auto taken = bench.run("payment.capture", R"({"order_id":"o1","amount":700})");
        CHECK(taken.state == job_state::completed);
        CHECK_EQ(bench.stripe.captured("o1"), 700);
        CHECK_EQ(bench.database.query("SELECT captured FROM payments.payment"), "700");
        CHECK(mentions(bench.run("payment.capture", R"({"order_id":"o1"})"), "paid already"));
        CHECK_EQ(bench.stripe.captured("o1"), 700);
        CHECK_EQ(bench.published("payment.completed"), "1");
    }

    TEST_CASE(
        "two jobs for one order make one payment; parts of an order are payments of their own") {
        test::payment_bench bench{2};
        std::vector<libqueue::job_id> jobs;
        for (int i = 0; i < 8; ++i) {
            jobs.push_back(bench.enqueue("payment.process", test::payment_bench::payment("o1")));
        }
        int completed = 0;
        for (const auto id : jobs) {
            const auto job = bench.finished(id);
            completed += job.state == job_state::completed ? 1 : 0;
            CHECK((job.state == job_state::completed || mentions(job, "paid already")));
        }
        CHECK_EQ(completed, 1);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        CHECK(bench.pay("o1", 500, "pm_card_visa", R"(,"part":"balance")").state ==
              job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 2);
    }

    TEST_CASE("refused credentials keep the job as it is") {
        test::payment_bench bench;
        bench.stripe.fail_always(fault::forbidden);
        const auto id = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'snoozed'", "t"));
        CHECK_EQ(bench.database.query("SELECT count(*) FROM queue.effects WHERE state = 'begun'"),
                 "0");
        CHECK_EQ(bench.database.query("SELECT count(*) > 0 FROM queue.job_logs WHERE level = "
                                      "'error' AND message LIKE 'Stripe answered 401%'"),
                 "t");
        CHECK_EQ(bench.database.query(
                     "SELECT count(*) FROM queue.job_logs WHERE message LIKE '%jane.doe%'"),
                 "0");
        bench.stripe.end_faults();
        bench.hurry(id);
        CHECK(bench.finished(id).state == job_state::completed);
    }

    TEST_CASE("refused credentials open the circuit of the provider's limit") {
        test::payment_bench bench{1, "stripe"};
        bench.stripe.fail_always(fault::forbidden);
        for (int i = 0; i < 6; ++i) {
            (void)bench.enqueue("payment.process",
                                test::payment_bench::payment("o" + std::to_string(i)));
        }
        CHECK(bench.becomes("SELECT count(*) FROM queue.attempt WHERE outcome = 'snoozed'", "6"));
        // Judged by who would start next, which then does not.
        (void)bench.enqueue("payment.process", test::payment_bench::payment("o7"));
        CHECK(
            bench.becomes("SELECT circuit FROM queue.limit_status WHERE name = 'stripe'", "open"));
        CHECK_EQ(bench.database.query("SELECT count(*) FROM queue.dead_letters"), "0");
    }

    TEST_CASE("a provider that is away is come back to, and nothing is in doubt") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::busy, 4);
        CHECK(bench.pay("o1").state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
        CHECK_EQ(
            bench.database.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'unknown'"),
            "0");
    }

    TEST_CASE("an order whose first payment was refused can be paid by another job") {
        test::payment_bench bench;
        CHECK(bench.pay("o1", 1000, "pm_declined").state == job_state::dead);
        CHECK(bench.pay("o1").state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a refused payment is not tried again when another has paid the order") {
        test::payment_bench bench;
        CHECK(bench.pay("o1", 1000, "pm_declined").state == job_state::dead);
        CHECK(bench.pay("o1").state == job_state::completed);
        CHECK(mentions(
            bench.run("payment.retry", R"({"payment_id":1,"payment_method":"pm_card_visa"})"),
            "paid already"));
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("a declined payment that is replayed asks again, under a new key") {
        test::payment_bench bench;
        const auto declined = bench.pay("o1", 1000, "pm_declined");
        bench.hurry(declined.id);
        CHECK(mentions(bench.finished(declined.id), "insufficient_funds"));
        const auto keys = keys_of(bench.stripe, "/v1/payment_intents");
        REQUIRE_EQ(keys.size(), 2);
        CHECK_EQ(keys[1], keys[0] + ".1");
    }

    TEST_CASE("a payment that failed at the customer asks again when it is replayed") {
        test::payment_bench bench;
        const auto id =
            bench.enqueue("payment.process", test::payment_bench::payment("o1", 1000, "pm_3ds"));
        CHECK(bench.becomes("SELECT state FROM payments.payment", "action_required"));
        bench.stripe.move_intent("pi_1", "requires_payment_method");
        bench.hurry(id);
        CHECK(mentions(bench.finished(id), "authentication_failed"));
        bench.hurry(id);
        CHECK(
            bench.becomes("SELECT provider_id FROM payments.payment WHERE state = "
                          "'action_required'",
                          "pi_2"));
        bench.stripe.move_intent("pi_2", "succeeded");
        bench.hurry(id);
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("other parameters under an open key are looked into, and charged once") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::lost_reply);
        bench.stripe.fail_next(fault::down, 1'000'000);
        const auto id = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'unknown'", "t"));
        // As after an update that builds requests otherwise.
        bench.stripe.answer_next(
            test::http_reply{400, R"({"error":{"type":"idempotency_error"}})"});
        bench.stripe.end_faults();
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }

    TEST_CASE("enqueued by SQL, the same user, order and amount are one job") {
        test::payment_bench bench;
        const std::string call =
            "SELECT payments.enqueue_payment('u1', 'o1', 1000, 'eur', 'pm_card_visa')";
        const auto first = bench.database.query(call);
        CHECK_EQ(bench.database.query(call), first);
        CHECK(bench.finished(std::stoll(first)).state == job_state::completed);
        CHECK_EQ(bench.database.query(call), first);
        CHECK_EQ(bench.stripe.charges("o1"), 1);
    }
}
