#pragma once

#include "processors/payment/processor.hpp"
#include "support/recording_observer.hpp"
#include "support/stripe_server.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// A worker with the payment processor, before a Stripe of its own.
class payment_bench {
   public:
    using options = libqueue::processors::payment::options;

    explicit payment_bench(int workers = 1, const std::string& limit = {}) {
        options given{libqueue::processors::payment::provider_kind::stripe};
        given.limit = limit;
        given.base_url = stripe.url();
        given.key = libqueue::processors::secret{stripe.key()};
        start(given, workers);
    }
    payment_bench(const options& given, int workers) { start(given, workers); }

    /// What a worker of this bench is told; the rest as a service would be.
    [[nodiscard]] static options internal(const std::string& url) {
        options given{libqueue::processors::payment::provider_kind::internal};
        given.base_url = url;
        given.key = libqueue::processors::secret{std::string(32, 'k')};
        given.service = "tickets";
        return given;
    }

    libqueue::job_id enqueue(const std::string& kind, const std::string& payload,
                             const std::string& tenant = {}) {
        libqueue::new_job job{kind, payload};
        job.attempts(6);
        if (!tenant.empty()) {
            job.for_tenant(tenant);
        }
        return client.enqueue(job).value().id;
    }
    libqueue::job_info finished(libqueue::job_id id) {
        return client.wait(id, test::scaled(std::chrono::seconds{60})).value();
    }
    libqueue::job_info run(const std::string& kind, const std::string& payload,
                           const std::string& tenant = {}) {
        return finished(enqueue(kind, payload, tenant));
    }
    /// payment.process of this order.
    libqueue::job_info pay(const std::string& order, int amount = 1000,
                           const std::string& method = "pm_card_visa",
                           const std::string& more = {}) {
        return run("payment.process", payment(order, amount, method, more));
    }
    [[nodiscard]] static std::string payment(const std::string& order, int amount = 1000,
                                             const std::string& method = "pm_card_visa",
                                             const std::string& more = {}) {
        return R"({"order_id":")" + order + R"(","amount":)" + std::to_string(amount) +
               R"(,"currency":"eur","payment_method":")" + method + "\"" + more + "}";
    }

    /// Waits until the query says so.
    [[nodiscard]] bool becomes(const std::string& sql, const std::string& wanted) {
        return test::wait_until([&] { return database.query(sql) == wanted; });
    }
    [[nodiscard]] std::string state_of(const std::string& order) {
        return database.query(
            "SELECT state FROM payments.payments WHERE order_id = $1 ORDER BY id DESC LIMIT 1",
            {order});
    }
    /// Events of this topic that nobody but the bench hears.
    [[nodiscard]] std::string published(const std::string& topic) {
        return database.query(
            "SELECT coalesce(sum(count), 0) FROM queue.unrouted_topics WHERE topic = $1", {topic});
    }
    /// Makes what waits run now.
    void hurry(libqueue::job_id id) {
        database.execute("SELECT queue.retry($1::bigint)", {std::to_string(id)});
    }

    /// Lets 25 hours pass, at Stripe and in the ledger, while nobody runs; what went wrong there
    /// has ended then.
    void sleep_a_day() {
        database.execute("SELECT queue.pause('default')");
        REQUIRE(becomes("SELECT count(*) FROM queue.jobs WHERE state = 'running'", "0"));
        database.execute("UPDATE queue.effect SET begun_at = begun_at - interval '25 h'");
        stripe.advance(std::chrono::hours{25});
        stripe.end_faults();
        database.execute("SELECT queue.resume('default')");
    }

    stripe_server stripe;
    test_database database;
    recording_observer observer;
    libqueue::client client{libqueue::client_options{database.dsn()}};

   private:
    void start(const options& base, int workers) {
        for (int i = 0; i < workers; ++i) {
            auto given = base;
            given.allow_http = true;
            given.timeout = std::chrono::milliseconds{2'000};
            auto kinds = libqueue::processors::payment::make_registrations(given);
            for (auto& kind : kinds) {
                kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed,
                                                            std::chrono::milliseconds{10},
                                                            std::chrono::milliseconds{10}, false};
            }
            libqueue::worker_options made;
            made.dsn = database.dsn();
            made.queues.emplace_back("default", 10);
            made.observer = &observer;
            if (!base.limit.empty()) {
                made.limits.push_back(libqueue::processors::payment::default_limit(base.provider));
            }
            made.migration_sets.push_back(libqueue::processors::payment::migrations());
            workers_.push_back(std::make_unique<libqueue::worker>(made, std::move(kinds)));
            workers_.back()->start();
        }
    }

    std::vector<std::unique_ptr<libqueue::worker>> workers_;
};

/// What the last error of a job mentions.
[[nodiscard]] inline bool mentions(const libqueue::job_info& job, const std::string& text) {
    return job.last_error && job.last_error->find(text) != std::string::npos;
}

}  // namespace test
