#pragma once

#include "processors/support/crypto.hpp"
#include "processors/webhook/delivery.hpp"
#include "support/http_receiver.hpp"
#include "support/run.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace test {

/// A loop, options that fit a receiver on this host, and one job to deliver to it.
class webhook_bench {
   public:
    webhook_bench() {
        options.secrets.emplace_back(secret);
        options.allow_private = true;
        options.allow_http = true;
        options.timeout = std::chrono::seconds{10};
        job.id = 42;
        job.kind = "webhook.deliver";
        job.created_at += std::chrono::seconds{1'700'000'000};
    }

    void deliver_to(const std::string& url, const std::string& more = {}) {
        job.payload =
            R"({"url": ")" + url + R"(", "event": "order.paid", "data": {"n": 1.50})" + more + "}";
    }

    [[nodiscard]] libqueue::processors::run_view run() {
        libqueue::processors::run_view view{job};
        view.executor = io.get_executor();
        return view;
    }

    [[nodiscard]] libqueue::outcome deliver(libqueue::processors::run_view view) {
        auto with = std::make_shared<const libqueue::processors::webhook::settings>(options);
        std::optional<libqueue::outcome> outcome;
        test::run(io, keep(libqueue::processors::webhook::deliver(std::move(with), std::move(view)),
                           outcome));
        return std::move(outcome).value();
    }
    [[nodiscard]] libqueue::outcome deliver() { return deliver(run()); }

    /// Asio 1.26 spawns only what has a default-constructible result, which an outcome has not.
    static boost::asio::awaitable<void> keep(boost::asio::awaitable<libqueue::outcome> work,
                                             std::optional<libqueue::outcome>& into) {
        auto outcome = co_await std::move(work);
        into.emplace(std::move(outcome));
    }

    std::string secret{"whsec_" + libqueue::processors::base64_encode(std::string(32, 's'))};
    libqueue::processors::webhook::options options;
    libqueue::job job;
    boost::asio::io_context io;
};

}  // namespace test
