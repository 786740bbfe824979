#pragma once

#include "processors/mint/address.hpp"
#include "processors/mint/processor.hpp"
#include "processors/mint/programs.hpp"
#include "support/recording_observer.hpp"
#include "support/solana_node.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// Options that fit a node on this host and tests that do not take long.
inline libqueue::processors::mint::options mint_options(const solana_node& node) {
    libqueue::processors::mint::options made;
    made.endpoints = {node.url("/rpc")};
    made.key = libqueue::processors::mint::signing_key::read(node.key_file()).value();
    made.metadata_url = node.url("/metadata/");
    made.rpc_timeout = std::chrono::seconds{2};
    made.poll_interval = std::chrono::milliseconds{20};
    made.resend_interval = std::chrono::milliseconds{60};
    made.confirm_wait = std::chrono::seconds{10};
    made.look_again = std::chrono::milliseconds{50};
    made.low_balance_wait = std::chrono::milliseconds{200};
    made.allow_http = true;
    return made;
}

/// A worker that mints on a node of its own.
class mint_bench {
   public:
    mint_bench() : options{mint_options(node)} {}

    /// Call it when the options are as they should be.
    void start() {
        worker_ = make_worker();
        worker_->start();
    }
    [[nodiscard]] std::unique_ptr<libqueue::worker> make_worker() {
        namespace mint = libqueue::processors::mint;
        auto kinds = mint::make_registrations(options);
        for (auto& kind : kinds) {
            kind.options.limit.clear();
            kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed,
                                                        std::chrono::milliseconds{20},
                                                        std::chrono::milliseconds{20}, false};
        }
        libqueue::worker_options made;
        made.dsn = database.dsn();
        made.queues.emplace_back("default", 10);
        made.observer = &observer;
        made.migration_sets.push_back(mint::migrations());
        made.poll_interval = std::chrono::milliseconds{50};
        return std::make_unique<libqueue::worker>(made, std::move(kinds));
    }

    [[nodiscard]] std::string payload(const std::string& ticket,
                                      const std::string& more = {}) const {
        return R"({"ticket": ")" + ticket + R"(", "user": "u1", "recipient": ")" + recipient +
               R"(", "name": "Summer night )" + ticket + R"(", "symbol": "TIX",)" +
               R"( "metadata": {"description": "Row 7"})" + more + "}";
    }
    libqueue::job_id enqueue(const std::string& text, int attempts = 4) {
        libqueue::new_job job{"ticket.mint", text};
        return client_.enqueue(job.attempts(attempts)).value().id;
    }
    libqueue::job_info finished(libqueue::job_id id) {
        return client_.wait(id, std::chrono::seconds{20}).value();
    }
    libqueue::job_info run(const std::string& text, int attempts = 4) {
        return finished(enqueue(text, attempts));
    }

    /// Where the ticket's mint is, as anybody can compute.
    [[nodiscard]] std::string address(const std::string& ticket) const {
        namespace mint = libqueue::processors::mint;
        return mint::address_with_seed(options.key->address(),
                                       mint::seed_of("", "mint:" + ticket + ":u1"),
                                       mint::programs::token_2022())
            .text();
    }
    /// Signatures the node was ever sent.
    [[nodiscard]] std::size_t signatures() const {
        return node.state().at("sends").as_object().size();
    }
    [[nodiscard]] std::size_t mints() const { return node.state().at("mints").as_array().size(); }
    [[nodiscard]] bool wait_for_sends(std::int64_t count) const {
        return wait_until([&] { return node.count("sendTransaction") >= count; });
    }

    solana_node node;
    test_database database;
    recording_observer observer;
    libqueue::processors::mint::options options;
    std::string recipient{"4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA"};

   private:
    libqueue::client client_{libqueue::client_options{database.dsn()}};
    std::unique_ptr<libqueue::worker> worker_;
};

}  // namespace test
