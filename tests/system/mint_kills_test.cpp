// A workerd is killed in the middle of a mint, at each request it makes; the next one goes on.
#include "support/process.hpp"
#include "support/solana_node.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;

class mint_rig {
   public:
    mint_rig() {
        config_ = files_
                      .write("workerd.yaml",
                             "queues: {default: {concurrency: 5}}\n"
                             "http: {enabled: false}\n"
                             "worker: {heartbeat: 200ms, lease: 2s, poll_interval: 250ms}\n"
                             "limits: {solana: {concurrency: 100}}\n"
                             "kinds: {ticket.mint: {crash_budget: 100, retry: {strategy: fixed, "
                             "base: 50ms, cap: 50ms, jitter: false}}}\n"
                             "processors: {mint: {endpoints: [\"" +
                                 node.url("/rpc") + "\"], key_file: \"" + node.key_file().string() +
                                 "\", metadata_url: \"" + node.url("/metadata/") +
                                 "\", allow_http: true, rpc_timeout: 30s, poll_interval: 50ms}}\n")
                      .string();
    }

    std::unique_ptr<test::process> start() {
        auto made = std::make_unique<test::process>(test::process_options{
            test::binary("workerd"), {"--config", config_, "--db", db.dsn()}});
        REQUIRE_MESSAGE(made->wait_for_text("worker_ready"), made->errors());
        return made;
    }
    void enqueue() {
        db.execute(
            "SELECT queue.enqueue('ticket.mint', '{\"ticket\": \"T\", \"user\": \"u\", \"name\": "
            "\"n\", \"recipient\": \"4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA\"}')");
    }
    [[nodiscard]] bool completes() {
        return test::wait_until(
            [&] { return db.query("SELECT state FROM queue.jobs") == "completed"; },
            test::scaled(60s));
    }
    /// What must hold whatever was killed when.
    void check_one_mint() {
        CHECK(node.get("/minted").as_int64() == 1);
        CHECK(node.state().at("sends").as_object().size() == 1);
        CHECK(db.query("SELECT count(*) || ' ' || min(state) FROM mint.attempt") == "1 landed");
        CHECK(db.query("SELECT count(*) FROM queue.effects WHERE state <> 'committed'") == "0");
    }

    test::solana_node node;
    test::test_database db;

   private:
    test::temp_dir files_;
    std::string config_;
};

}  // namespace

TEST_SUITE("system: mint kills") {
    TEST_CASE("killed while it waits for an answer: the next worker makes the one mint there is") {
        for (const std::string method :
             {"getAccountInfo", "getMinimumBalanceForRentExemption", "getBalance",
              "getLatestBlockhash", "sendTransaction", "getBlockHeight", "getSignatureStatuses"}) {
            CAPTURE(method);
            mint_rig t;
            auto dies = t.start();
            // Done, and answered when nobody is there any more.
            t.node.fault(R"({"method":")" + method + R"(","delay_ms":20000})");
            t.enqueue();
            REQUIRE(test::wait_until([&] { return t.node.count(method) == 1; }, 30s));

            dies->kill();
            const auto next = t.start();

            CHECK_MESSAGE(t.completes(), t.db.query("SELECT last_error FROM queue.jobs"));
            t.check_one_mint();
        }
    }

    TEST_CASE("killed before the network has the transaction: the next worker sends the same") {
        mint_rig t;
        auto dies = t.start();
        t.node.fault(R"({"method":"sendTransaction","lose":true,"delay_ms":20000})");
        t.enqueue();
        REQUIRE(test::wait_until([&] { return t.node.count("sendTransaction") == 1; }, 30s));

        dies->kill();
        const auto next = t.start();

        CHECK_MESSAGE(t.completes(), t.db.query("SELECT last_error FROM queue.jobs"));
        t.check_one_mint();
    }

    TEST_CASE("killed after the upload: it is there already, and that is fine") {
        mint_rig t;
        auto dies = t.start();
        t.node.fault(R"({"method":"PUT","delay_ms":20000})");
        t.enqueue();
        REQUIRE(test::wait_until(
            [&] { return t.node.state().at("objects").as_array().size() == 1; }, 30s));

        dies->kill();
        const auto next = t.start();

        CHECK_MESSAGE(t.completes(), t.db.query("SELECT last_error FROM queue.jobs"));
        t.check_one_mint();
    }

    TEST_CASE("the wallet's key appears in no log, no table and no environment") {
        mint_rig t;
        const auto worker = t.start();
        t.enqueue();
        REQUIRE(t.completes());
        t.check_one_mint();
        const auto dump =
            test::run_command(test::process_options{"pg_dump", {"--dbname", t.db.dsn()}});
        REQUIRE(dump.code == 0);
        // The seed as solana-keygen writes it, in hexadecimal and in base64.
        for (const std::string canary :
             {"119,119,119,119", "7777777777777777", "d3d3d3d3d3d3d3d3"}) {
            CAPTURE(canary);
            CHECK(dump.output.find(canary) == std::string::npos);
            CHECK(worker->output().find(canary) == std::string::npos);
            CHECK(worker->errors().find(canary) == std::string::npos);
        }
    }
}
