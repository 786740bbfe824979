#include "payment_bench.hpp"
#include "processors/support/internal_auth.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <map>
#include <mutex>
#include <string>

namespace {

namespace json = boost::json;
using libqueue::job_state;
using libqueue::processors::internal_verifier;
using libqueue::processors::received_call;
using libqueue::processors::secret;

/// A payment service that checks who calls and deduplicates by key, as ours would.
class payment_service {
   public:
    payment_service() {
        verifier_.allow("tickets", secret{std::string(32, 'k')});
        receiver_.reply_with([this](const test::http_request& request) { return answer(request); });
    }

    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(receiver_.port());
    }
    void lose_replies(int count) {
        const std::lock_guard lock{mutex_};
        lost_ = count;
    }
    [[nodiscard]] int payments() {
        const std::lock_guard lock{mutex_};
        return static_cast<int>(payments_.size());
    }
    [[nodiscard]] std::int64_t refunded() {
        const std::lock_guard lock{mutex_};
        return payments_.empty() ? 0 : payments_.begin()->second.at("refunded").as_int64();
    }
    [[nodiscard]] std::vector<std::string> refusals() {
        const std::lock_guard lock{mutex_};
        return refusals_;
    }
    [[nodiscard]] std::vector<test::http_request> requests() const { return receiver_.requests(); }

   private:
    test::http_reply answer(const test::http_request& request) {
        const std::lock_guard lock{mutex_};
        received_call call{request.method, request.target, request.body};
        call.header = [&request](std::string_view name) {
            return request.header(name);
        };
        const auto caller = verifier_.verify(call);
        if (!caller) {
            refusals_.push_back(caller.error().message);
            return test::http_reply{401};
        }
        auto reply = request.method == "GET" ? show(request.target) : once(request);
        if (lost_ > 0) {
            --lost_;
            reply.drop = true;
        }
        return reply;
    }

    test::http_reply once(const test::http_request& request) {
        const auto key = request.header("idempotency-key");
        if (const auto known = answers_.find(key); known != answers_.end()) {
            return known->second;
        }
        return answers_[key] = act(request);
    }

    test::http_reply act(const test::http_request& request) {
        const auto body = json::parse(request.body).as_object();
        if (request.target == "/api/v1/payments/process") {
            json::object made = body;
            made["payment_id"] = "p" + std::to_string(payments_.size() + 1);
            const bool declined = body.at("payment_method").as_string() == "pm_declined";
            made["status"] = declined ? "failed" : "succeeded";
            made["captured"] = declined ? json::value{0} : body.at("amount");
            made["refunded"] = 0;
            made["refunds"] = json::array{};
            if (declined) {
                made["failure_code"] = "no_money";
                return test::http_reply{200, json::serialize(made)};
            }
            const std::string id{made["payment_id"].as_string()};
            payments_[id] = made;
            return test::http_reply{200, json::serialize(made)};
        }
        auto* const payment = find(request.target);
        if (payment == nullptr) {
            return test::http_reply{404};
        }
        json::object refund;
        refund["refund_id"] = "r" + std::to_string(payment->at("refunds").as_array().size() + 1);
        refund["reference"] = body.at("reference");
        refund["status"] = "succeeded";
        payment->at("refunds").as_array().push_back(refund);
        payment->at("refunded") = payment->at("refunded").as_int64() + body.at("amount").as_int64();
        return test::http_reply{200, json::serialize(*payment)};
    }

    /// By its id or by our reference.
    json::object* find(const std::string& target) {
        const auto begin = std::string{"/api/v1/payments/"}.size();
        const auto id = target.substr(begin, target.find('/', begin) - begin);
        for (auto& [known, payment] : payments_) {
            if (known == id || payment.at("reference").as_string() == json::string_view{id}) {
                return &payment;
            }
        }
        return nullptr;
    }

    test::http_reply show(const std::string& target) {
        const auto* const payment = find(target);
        return payment == nullptr ? test::http_reply{404}
                                  : test::http_reply{200, json::serialize(*payment)};
    }

    std::mutex mutex_;
    internal_verifier verifier_;
    int lost_{0};
    std::map<std::string, json::object> payments_;
    std::map<std::string, test::http_reply> answers_;
    std::vector<std::string> refusals_;
    test::http_receiver receiver_;
};

}  // namespace

TEST_SUITE("payment: internal service") {
    TEST_CASE("payments and refunds are made once, each request signed") {
        payment_service service;
        test::payment_bench bench{test::payment_bench::internal(service.url()), 1};
        service.lose_replies(1);
        const auto paid = bench.pay("o1", 1000);
        REQUIRE(paid.state == job_state::completed);
        CHECK_EQ(service.payments(), 1);
        CHECK(paid.output->find(R"("provider": "internal")") != std::string::npos);
        CHECK(bench.run("refund.partial", R"({"order_id":"o1","amount":400})").state ==
              job_state::completed);
        CHECK(bench.run("refund.full", R"({"order_id":"o1"})").state == job_state::completed);
        CHECK_EQ(service.refunded(), 1000);
        CHECK(service.refusals().empty());
        for (const auto& request : service.requests()) {
            CAPTURE(request.target);
            CHECK_EQ(request.header("x-internal-service"), "tickets");
            CHECK_FALSE(request.header("x-request-deadline").empty());
            CHECK_EQ(request.header("idempotency-key").empty(), request.method == "GET");
        }
    }

    TEST_CASE("a refusal ends the job with the service's code") {
        payment_service service;
        test::payment_bench bench{test::payment_bench::internal(service.url()), 1};
        const auto declined = bench.pay("o1", 1000, "pm_declined");
        CHECK(test::mentions(declined, "the payment service declined"));
        CHECK_EQ(bench.database.query("SELECT failure FROM payments.payments"), "no_money");
        CHECK_EQ(service.payments(), 0);
    }

    TEST_CASE("a service that refuses our signature keeps the job as it is") {
        payment_service service;
        auto options = test::payment_bench::internal(service.url());
        options.key = secret{std::string(32, 'x')};
        test::payment_bench bench{options, 1};
        const auto id = bench.enqueue("payment.process", test::payment_bench::payment("o1"));
        CHECK(
            bench.becomes("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'snoozed'", "t"));
        CHECK_EQ(service.refusals().front(), "internal call: the signature does not fit");
        CHECK_EQ(service.payments(), 0);
        CHECK(bench.database.query("SELECT state FROM queue.jobs WHERE id = $1::bigint",
                                   {std::to_string(id)}) == "scheduled");
    }
}
