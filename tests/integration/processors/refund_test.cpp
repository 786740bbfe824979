#include "payment_bench.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace std::chrono_literals;
using libqueue::job_state;
using test::mentions;
using fault = test::stripe_server::fault;

std::string partial(const std::string& order, int amount, const std::string& more = {}) {
    return R"({"order_id":")" + order + R"(","amount":)" + std::to_string(amount) + more + "}";
}

}  // namespace

TEST_SUITE("refund: Stripe") {
    TEST_CASE("two equal refunds are two, and together never more than was paid") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        CHECK(bench.run("refund.partial", partial("o1", 400)).state == job_state::completed);
        CHECK(bench.run("refund.partial", partial("o1", 400)).state == job_state::completed);
        const auto third = bench.run("refund.partial", partial("o1", 400));
        CHECK(third.state == job_state::dead);
        CHECK(mentions(third, "more than is left"));
        CHECK_EQ(bench.stripe.refunded("o1"), 800);
        const auto rest = bench.run("refund.full", R"({"order_id":"o1"})");
        CHECK(rest.state == job_state::completed);
        CHECK(rest.output->find(R"("amount": 200)") != std::string::npos);
        CHECK_EQ(bench.stripe.refunded("o1"), 1000);
        CHECK_EQ(bench.published("refund.completed"), "3");
        CHECK_EQ(bench.database.query("SELECT refunded FROM payments.payments"), "1000");
        const auto again = bench.run("refund.full", R"({"order_id":"o1"})");
        CHECK(again.state == job_state::completed);
        CHECK(again.output->find("already_refunded") != std::string::npos);
        CHECK_EQ(bench.stripe.refunds("o1"), 3);
        CHECK(bench.stripe.complaints().empty());
    }

    TEST_CASE("one reference is one refund, for good") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        const auto payload = partial("o1", 300, R"(,"reference":"rma-1")");
        const auto first = bench.run("refund.process", payload);
        const auto second = bench.run("refund.process", payload);
        CHECK(first.state == job_state::completed);
        CHECK(second.state == job_state::completed);
        CHECK_EQ(bench.stripe.refunds("o1"), 1);
        CHECK(mentions(bench.run("refund.process", partial("o1", 301, R"(,"reference":"rma-1")")),
                       "stands for another refund"));
        const std::string call = "SELECT payments.enqueue_refund('o1', 'rma-2', 100)";
        const auto id = bench.database.query(call);
        CHECK_EQ(bench.database.query(call), id);
        CHECK(bench.finished(std::stoll(id)).state == job_state::completed);
        CHECK_EQ(bench.stripe.refunded("o1"), 400);
    }

    TEST_CASE("two workers racing with 200 parts of one payment never give back too much") {
        test::payment_bench bench{2};
        REQUIRE(bench.pay("o1", 10'000).state == job_state::completed);
        // 200 parts of 70 are 14,000: 142 of them fit.
        int turn = 0;
        bench.stripe.choose_fault([&turn](const test::http_request&) {
            ++turn;
            return turn % 7 == 0    ? fault::lost_reply
                   : turn % 11 == 0 ? fault::saved_500
                   : turn % 13 == 0 ? fault::acted_500
                                    : fault::none;
        });
        std::vector<libqueue::job_id> jobs;
        for (int i = 0; i < 200; ++i) {
            jobs.push_back(bench.enqueue("refund.partial", partial("o1", 70)));
        }
        int completed = 0;
        for (const auto id : jobs) {
            const auto job = bench.finished(id);
            completed += job.state == job_state::completed ? 1 : 0;
            CHECK_MESSAGE((job.state == job_state::completed || mentions(job, "more than is left")),
                          libqueue::to_string(job.state), ": ", job.last_error.value_or("nothing"));
        }
        CHECK_EQ(completed, 142);
        CHECK_EQ(bench.stripe.refunds("o1"), 142);
        CHECK_EQ(bench.stripe.refunded("o1"), 9'940);
        CHECK_EQ(bench.database.query("SELECT refunded FROM payments.payments"), "9940");
        CHECK_EQ(bench.database.query("SELECT count(*) FROM queue.effects WHERE state = 'begun'"),
                 "0");
    }

    TEST_CASE("a refund that waits for one which ends this moment comes back") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        const auto reserve = [&](libqueue::job_id job) {
            return bench.database.query(
                "SELECT verdict FROM payments.reserve_refund($1::bigint, NULL, 700, "
                "order_id => 'o1')",
                {std::to_string(job)});
        };
        // Nobody handles these: they are alive for as long as the test wants.
        const auto first = bench.enqueue("nobody.does", "{}");
        const auto second = bench.enqueue("nobody.does", "{}");
        CHECK_EQ(reserve(first), "mine");
        CHECK_EQ(reserve(second), "busy");
        // The first ends after its reservation was read and before its job is looked at.
        bench.database.execute(
            "CREATE SEQUENCE public.look; "
            "CREATE OR REPLACE FUNCTION payments.standing_of(job_id bigint) RETURNS text VOLATILE "
            "LANGUAGE plpgsql AS $$ BEGIN IF nextval('public.look') = 1 THEN RETURN 'live'; END "
            "IF; "
            "PERFORM payments.record_refund(job_id, true, 're_1'); RETURN 'doubt'; END $$");
        CHECK_EQ(reserve(second), "busy");
        CHECK_EQ(bench.database.query("SELECT last_value FROM public.look"), "2");
        CHECK_EQ(reserve(second), "over");
    }

    TEST_CASE("a lost reply gives the money back once") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        bench.stripe.fail_next(fault::lost_reply, 4);
        CHECK(bench.run("refund.partial", partial("o1", 400)).state == job_state::completed);
        CHECK_EQ(bench.stripe.refunds("o1"), 1);
    }

    TEST_CASE("a saved 500 is looked into: found, or tried under a new key") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        bench.stripe.fail_next(fault::acted_500);
        CHECK(bench.run("refund.partial", partial("o1", 100)).state == job_state::completed);
        CHECK_EQ(bench.stripe.refunds("o1"), 1);
        bench.stripe.fail_next(fault::saved_500);
        CHECK(bench.run("refund.partial", partial("o1", 100)).state == job_state::completed);
        CHECK_EQ(bench.stripe.refunds("o1"), 2);
        CHECK_EQ(bench.stripe.refunded("o1"), 200);
    }

    TEST_CASE("a day later a refund is looked for before it is asked for again") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        bench.stripe.fail_next(fault::lost_reply);
        bench.stripe.fail_next(fault::down, 1'000'000);
        const auto id = bench.enqueue("refund.partial", partial("o1", 400));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'unknown'", "t"));
        bench.sleep_a_day();
        CHECK(bench.finished(id).state == job_state::completed);
        CHECK_EQ(bench.stripe.refunds("o1"), 1);
    }

    TEST_CASE(
        "a payment made elsewhere is taken over from the provider, with what was given back") {
        test::payment_bench bench;
        const auto made = bench.stripe.add_intent(500, "eur");
        const auto job =
            bench.run("refund.partial", R"({"provider_id":")" + made + R"(","amount":200})");
        CHECK(job.state == job_state::completed);
        CHECK_EQ(bench.database.query("SELECT refunded || ' of ' || captured FROM "
                                      "payments.payments"),
                 "200 of 500");
        CHECK(mentions(
            bench.run("refund.partial", R"({"provider_id":")" + made + R"(","amount":301})"),
            "more than is left"));
        CHECK(mentions(bench.run("refund.full", R"({"provider_id":"pi_99"})"), "no such payment"));
        CHECK(mentions(bench.run("refund.full", R"({"order_id":"nobody"})"), "no such payment"));
    }

    TEST_CASE("a payment refunded by its id while it was in doubt is one payment in the end") {
        test::payment_bench bench;
        bench.stripe.fail_next(fault::lost_reply);
        bench.stripe.fail_next(fault::down, 1'000'000);
        const auto paying = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'unknown'", "t"));
        bench.database.execute("SELECT queue.pause('default')");
        REQUIRE(bench.becomes("SELECT count(*) FROM queue.jobs WHERE state = 'running'", "0"));
        bench.database.execute(
            "SELECT payments.adopt_payment(NULL, 'stripe', 'pi_1', 'o1', 1000, 'EUR', 1000, 0)");
        bench.stripe.end_faults();
        bench.database.execute("SELECT queue.resume('default')");
        const auto refunding =
            bench.run("refund.partial", R"({"provider_id":"pi_1","amount":400})");
        CHECK(refunding.state == job_state::completed);
        CHECK(bench.finished(paying).state == job_state::completed);
        CHECK_EQ(bench.database.query("SELECT string_agg(order_id || ' ' || state || ' ' || "
                                      "refunded, ', ') FROM payments.payments"),
                 "o1 succeeded 400");
    }

    TEST_CASE("nobody refunds the payment of another tenant") {
        test::payment_bench bench;
        const std::string ours = "7d8f4c5e-1111-4222-8333-944455556666";
        const std::string theirs = "7d8f4c5e-1111-4222-8333-944455557777";
        REQUIRE(bench.run("payment.process", test::payment_bench::payment("o1"), ours).state ==
                job_state::completed);
        const auto id = bench.stripe.intent_of("o1");
        for (const auto& payload :
             {R"({"provider_id":")" + id + "\"}", std::string{R"({"order_id":"o1"})"},
              std::string{R"({"payment_id":1})"}}) {
            CAPTURE(payload);
            CHECK(mentions(bench.run("refund.full", payload, theirs), "no such payment"));
        }
        const auto foreign = bench.stripe.add_intent(500, "eur", {{"libqueue_tenant", theirs}});
        CHECK(mentions(bench.run("refund.full", R"({"provider_id":")" + foreign + "\"}", ours),
                       "no such payment"));
        CHECK_EQ(bench.stripe.refunds(), 0);
        CHECK(bench.run("refund.full", R"({"order_id":"o1"})", ours).state == job_state::completed);
    }

    TEST_CASE("what is refused is released, and given back by hand it counts as done") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        bench.stripe.answer_next(test::http_reply{
            400, R"({"error":{"type":"invalid_request_error","code":"parameter_invalid"}})"});
        const auto refused = bench.run("refund.partial", partial("o1", 1000));
        CHECK(mentions(refused, "code parameter_invalid"));
        CHECK_EQ(bench.published("refund.failed"), "1");
        CHECK(bench.run("refund.partial", partial("o1", 600)).state == job_state::completed);
        bench.stripe.answer_next(test::http_reply{
            400, R"({"error":{"type":"invalid_request_error","code":"charge_already_refunded"}})"});
        const auto already = bench.run("refund.full", R"({"order_id":"o1"})");
        CHECK(already.state == job_state::completed);
        CHECK(already.output->find("already_refunded") != std::string::npos);
        CHECK_EQ(bench.database.query("SELECT refunded FROM payments.payments"), "1000");
    }

    TEST_CASE("what the bank sends back may be given back again") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        REQUIRE(bench.run("refund.full", R"({"order_id":"o1"})").state == job_state::completed);
        CHECK_EQ(bench.database.query("SELECT payments.refund_came_back('stripe', 're_1')"), "t");
        CHECK_EQ(bench.database.query("SELECT payments.refund_came_back('stripe', 're_1')"), "f");
        CHECK_EQ(bench.published("refund.failed"), "1");
        CHECK_EQ(bench.database.query("SELECT refunded FROM payments.payments"), "0");
    }

    TEST_CASE("a payment of which nothing was captured cannot be refunded") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000, "pm_card_visa", R"(,"capture":false)").state ==
                job_state::completed);
        CHECK(mentions(bench.run("refund.full", R"({"order_id":"o1"})"), "nothing was captured"));
    }

    TEST_CASE("a charge and a refund of one order have keys of their own") {
        test::payment_bench bench;
        REQUIRE(bench.pay("o1", 1000).state == job_state::completed);
        REQUIRE(bench.run("refund.partial", partial("o1", 1000)).state == job_state::completed);
        const auto all = bench.stripe.mutations();
        REQUIRE_EQ(all.size(), 2);
        CHECK(all[0].header("idempotency-key") != all[1].header("idempotency-key"));
        CHECK(all[1].header("idempotency-key").ends_with(":refund"));
    }
}
