#include "mint_bench.hpp"

#include <doctest/doctest.h>

#include <string>

// Whole mints, by a real worker on a real Solana virtual machine.

namespace {

namespace json = boost::json;
using libqueue::job_state;

bool mentions(const libqueue::job_info& job, const std::string& text) {
    return job.last_error && job.last_error->find(text) != std::string::npos;
}

std::string text_at(const json::value& value, std::string_view pointer) {
    return json::value_to<std::string>(value.at_pointer(pointer));
}

/// The one NFT of this ticket is there and whole, as a decoder that is not ours reads it.
void check_minted(const test::mint_bench& bench, const std::string& ticket) {
    const auto found = bench.node.account(bench.address(ticket));
    REQUIRE(found.is_object());
    CHECK(text_at(found, "/mint/supply") == "1");
    CHECK(found.at_pointer("/mint/decimals") == 0);
    CHECK(found.at_pointer("/mint/mintAuthority").is_null());
    CHECK(found.at_pointer("/mint/freezeAuthority").is_null());
    CHECK(found.at_pointer("/mint/pointer/authority").is_null());
    CHECK(text_at(found, "/mint/pointer/metadata") == bench.address(ticket));
    CHECK(text_at(found, "/mint/metadata/mint") == bench.address(ticket));
    CHECK(text_at(found, "/mint/metadata/name") == "Summer night " + ticket);
    CHECK(text_at(found, "/mint/metadata/symbol") == "TIX");
    CHECK(found.at("lamports").as_int64() >= found.at("rentExempt").as_int64());
    const auto& tokens = found.at("tokens").as_array();
    REQUIRE(tokens.size() == 1);
    CHECK(text_at(tokens[0], "/owner") == bench.recipient);
    CHECK(text_at(tokens[0], "/amount") == "1");
}

}  // namespace

TEST_SUITE("processors: mint on the chain") {
    TEST_CASE("a ticket becomes one token of the recipient that nobody can make another of") {
        test::mint_bench bench;
        bench.start();

        const auto job = bench.run(bench.payload("T1"));
        REQUIRE(job.state == job_state::completed);
        check_minted(bench, "T1");
        const auto output = json::parse(job.output.value());
        CHECK(text_at(output, "/address") == bench.address("T1"));
        CHECK(text_at(output, "/recipient") == bench.recipient);
        const auto found = bench.node.account(bench.address("T1"));
        CHECK(text_at(found, "/tokens/0/address") == text_at(output, "/token_account"));
        CHECK(text_at(found, "/mint/metadata/uri") == text_at(output, "/uri"));
        const auto state = bench.node.state();
        CHECK(state.at("sends").as_object().contains(text_at(output, "/signature")));
        // What it points at is there, and is what the payload said.
        const auto uri = text_at(output, "/uri");
        const auto metadata = bench.node.get(uri.substr(uri.find("/metadata/")));
        CHECK(text_at(metadata, "/name") == "Summer night T1");
        CHECK(text_at(metadata, "/description") == "Row 7");
        // Exactly the rents it holds, and no more.
        CHECK(found.at("lamports") == found.at("rentExempt"));
        CHECK(bench.database.query("SELECT state || ' ' || attempts FROM mint.mints") ==
              "minted 1");
        CHECK(bench.database.query("SELECT state FROM mint.attempt") == "landed");
        CHECK(bench.database.query("SELECT state FROM queue.effects") == "committed");
    }

    TEST_CASE("who subscribed is told once, in the transaction that completes the job") {
        test::mint_bench bench;
        bench.start();
        bench.database.execute("SELECT queue.subscribe('mint.*', 'nft.told')");

        const auto job = bench.run(bench.payload("T1"));

        REQUIRE(job.state == job_state::completed);
        CHECK(bench.database.query("SELECT payload ->> 'ticket' || ' ' || (meta ->> 'topic') "
                                   "FROM queue.jobs WHERE kind = 'nft.told'") ==
              "T1 mint.completed");
    }

    TEST_CASE("a reply that is lost after sending leads to no second transaction") {
        test::mint_bench bench;
        bench.node.fault(R"({"method":"sendTransaction","drop_reply":true})");
        bench.start();

        const auto job = bench.run(bench.payload("T1"));

        CHECK(job.state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 1);
    }

    TEST_CASE("a transaction the network loses is sent again, the same bytes") {
        test::mint_bench bench;
        bench.node.fault(R"({"method":"sendTransaction","lose":true,"times":3})");
        bench.start();

        const auto job = bench.run(bench.payload("T1"));

        CHECK(job.state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 1);
        CHECK(bench.node.count("sendTransaction") >= 4);
    }

    TEST_CASE("a transaction that lands just before its last block is waited for") {
        test::mint_bench bench;
        bench.node.control(R"({"slot_ms":0,"script":[{"method":"sendTransaction","hold":true}]})");
        bench.start();
        const auto id = bench.enqueue(bench.payload("T1"));
        REQUIRE(bench.wait_for_sends(3));
        bench.node.control(R"({"advance":148})");
        REQUIRE(bench.wait_for_sends(6));

        bench.node.control(R"({"release":true,"slot_ms":20})");

        CHECK(bench.finished(id).state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 1);
        CHECK(bench.database.query("SELECT count(*) FROM mint.attempt") == "1");
    }

    TEST_CASE("a transaction that can no longer land is replaced by another one") {
        test::mint_bench bench;
        bench.node.fault(R"({"method":"sendTransaction","lose":true,"times":100000})");
        bench.start();
        const auto id = bench.enqueue(bench.payload("T1"));
        REQUIRE(bench.wait_for_sends(3));

        bench.node.control(R"({"script":[],"advance":151})");

        CHECK(bench.finished(id).state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 2);
        CHECK(bench.mints() == 1);
        CHECK(bench.database.query("SELECT string_agg(state, ' ' ORDER BY signed_at) "
                                   "FROM mint.attempt") == "expired landed");
    }

    TEST_CASE("an address that somebody has sent lamports to is minted at all the same") {
        for (const std::int64_t lamports : {1'000'000, 50'000'000}) {
            CAPTURE(lamports);
            test::mint_bench bench;
            bench.node.fund(bench.address("T1"), lamports);
            bench.start();

            const auto job = bench.run(bench.payload("T1"));

            CHECK(job.state == job_state::completed);
            check_minted(bench, "T1");
        }
    }

    TEST_CASE("a second job of the same key gets the first one's result, and sends nothing") {
        test::mint_bench bench;
        bench.start();
        const auto first = bench.run(bench.payload("T1"));
        REQUIRE(first.state == job_state::completed);

        const auto second = bench.run(bench.payload("T1"));

        CHECK(second.state == job_state::completed);
        CHECK(second.output == first.output);
        CHECK(bench.node.count("sendTransaction") == 1);
    }

    TEST_CASE("a second job of the same key finds the mint also when the record is gone") {
        test::mint_bench bench;
        bench.start();
        REQUIRE(bench.run(bench.payload("T1")).state == job_state::completed);
        bench.database.execute("UPDATE mint.mint SET ended_at = now() - interval '2 years'");
        CHECK(bench.database.query("SELECT mint.prune()") == "1");
        bench.database.execute("DELETE FROM queue.effect");

        const auto second = bench.run(bench.payload("T1"));

        CHECK(second.state == job_state::completed);
        CHECK(bench.node.count("sendTransaction") == 1);
        CHECK(bench.mints() == 1);
    }

    TEST_CASE("a key that was used for other content is refused") {
        test::mint_bench bench;
        bench.start();
        REQUIRE(bench.run(bench.payload("T1")).state == job_state::completed);

        const auto other = bench.run(bench.payload("T1", R"(, "uri": "https://example.test/x")"));

        CHECK(other.state == job_state::dead);
        CHECK(other.attempt == 1);
        CHECK(mentions(other, "business key: has been used for another"));
        CHECK(bench.mints() == 1);
    }

    TEST_CASE("something else at the address ends the job, saying what it is") {
        test::mint_bench bench;
        bench.node.control(R"({"place":{"address":")" + bench.address("T1") +
                           R"(","lamports":5000000,"data":"AAAA",)" +
                           R"("owner":"ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"}})");
        bench.start();

        const auto job = bench.run(bench.payload("T1"));

        CHECK(job.state == job_state::dead);
        CHECK(job.attempt == 1);
        CHECK(mentions(job, "the address of this mint is taken: it belongs to the program AToken"));
        CHECK(bench.node.count("sendTransaction") == 0);
        CHECK(bench.database.query("SELECT state FROM mint.mints") == "failed");
    }

    TEST_CASE("a wallet that cannot pay holds jobs back without using them up") {
        test::mint_bench bench;
        bench.options.key = libqueue::processors::mint::signing_key::read(
                                bench.node.write_key("poor.json", std::string(32, 'p')))
                                .value();
        const auto wallet = bench.options.key->address().text();
        bench.node.fund(wallet, 3'000'000);
        bench.start();
        const auto id = bench.enqueue(bench.payload("T1"), 1);
        REQUIRE(bench.observer.wait_for(libqueue::event_type::job_finished, 2));
        CHECK(bench.node.count("sendTransaction") == 0);
        CHECK(bench.database.query("SELECT count(*) > 0 FROM queue.job_logs WHERE level = 'error' "
                                   "AND message LIKE '%refill%'") == "t");

        bench.node.fund(wallet, 6'000'000);

        CHECK(bench.finished(id).state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.database.query("SELECT count(*) > 0 FROM queue.job_logs WHERE level = "
                                   "'warning' AND message LIKE '%running low%'") == "t");
    }

    TEST_CASE("a transaction that fails on the chain is followed by a new one") {
        test::mint_bench bench;
        const auto empty = R"({"place":{"address":")" + bench.node.wallet() +
                           R"(","lamports":1000000,"data":"","owner":)" +
                           R"("11111111111111111111111111111111"}})";
        bench.node.fault(R"({"method":"sendTransaction","hold":true})");
        bench.start();
        const auto id = bench.enqueue(bench.payload("T1"));
        REQUIRE(bench.wait_for_sends(1));
        bench.node.control(empty);
        bench.node.control(R"({"release":true})");
        REQUIRE(test::wait_until([&] {
            return bench.database.query(
                       "SELECT count(*) FROM mint.attempt WHERE state = 'failed'"
                       " AND error LIKE '%failed on the chain%'") == "1";
        }));
        CHECK(bench.mints() == 0);

        bench.node.fund(bench.node.wallet(), 100'000'000);

        CHECK(bench.finished(id).state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 2);
    }

    TEST_CASE("two workers and two jobs of one key make one mint") {
        test::mint_bench bench;
        bench.start();
        const auto other = bench.make_worker();
        other->start();
        for (int round = 0; round < 5; ++round) {
            const auto payload = bench.payload("T" + std::to_string(round));
            const auto first = bench.enqueue(payload);
            const auto second = bench.enqueue(payload);
            CHECK(bench.finished(first).state == job_state::completed);
            CHECK(bench.finished(second).state == job_state::completed);
        }
        CHECK(bench.mints() == 5);
        CHECK(bench.signatures() == 5);
        other->stop();
    }

    TEST_CASE("the second endpoint serves when the first does not") {
        test::mint_bench bench;
        bench.options.endpoints.push_back(bench.node.url("/rpc2"));
        bench.node.fault(R"({"path":"/rpc","http":503,"times":1000000})");
        bench.start();

        const auto job = bench.run(bench.payload("T1"), 1);

        CHECK(job.state == job_state::completed);
        check_minted(bench, "T1");
    }

    TEST_CASE("a node that throttles or is behind costs no attempt") {
        for (const auto* fault : {R"({"http":429,"times":3})", R"({"rpc":-32005,"times":3})"}) {
            CAPTURE(fault);
            test::mint_bench bench;
            bench.node.fault(fault);
            bench.start();

            const auto job = bench.run(bench.payload("T1"), 1);

            CHECK(job.state == job_state::completed);
            check_minted(bench, "T1");
        }
    }

    TEST_CASE("a result that must be final is waited for until it is") {
        test::mint_bench bench;
        bench.options.commitment = libqueue::processors::mint::commitment::finalized;
        bench.start();

        const auto job = bench.run(bench.payload("T1"));

        CHECK(job.state == job_state::completed);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 1);
    }

    TEST_CASE("a gateway that is away lets the job retry before anything is sent") {
        test::mint_bench bench;
        bench.node.fault(R"({"method":"PUT","http":503,"times":3})");
        bench.start();

        const auto job = bench.run(bench.payload("T1"));

        CHECK(job.state == job_state::completed);
        CHECK(job.attempt == 2);
        check_minted(bench, "T1");
        CHECK(bench.signatures() == 1);
    }

    TEST_CASE("what another wallet has under way is waited for before this one signs") {
        test::mint_bench bench;
        bench.node.fault(R"({"method":"sendTransaction","hold":true})");
        bench.options.confirm_wait = std::chrono::milliseconds{1};
        bench.start();
        const auto id = bench.enqueue(bench.payload("T1"));
        REQUIRE(bench.wait_for_sends(1));
        const auto minted_at = bench.address("T1");
        bench.options.key = libqueue::processors::mint::signing_key::read(
                                bench.node.write_key("next.json", std::string(32, 'n')))
                                .value();
        bench.node.fund(bench.options.key->address().text(), 100'000'000);
        bench.start();

        bench.node.control(R"({"release":true})");

        const auto job = bench.finished(id);
        REQUIRE(job.state == job_state::completed);
        CHECK(text_at(json::parse(job.output.value()), "/address") == minted_at);
        CHECK(bench.mints() == 1);
        CHECK(bench.signatures() == 1);
    }

    TEST_CASE("a payload that does not fit says all that is wrong with it") {
        test::mint_bench bench;
        bench.start();

        const auto job = bench.run(
            R"({"recipient": "0OIl", "name": "a name of more than thirty-two bytes", "uri": 7})");

        CHECK(job.state == job_state::dead);
        CHECK(job.attempt == 1);
        CHECK(mentions(job, "payload.recipient: expected the base58 of 32 bytes"));
        CHECK(mentions(job, "payload.name: expected at most 32 bytes"));
        CHECK(mentions(job, "payload.uri: expected a string, got a number"));
        CHECK(mentions(job, "payload.key: expected a key, or both of ticket and user"));
        CHECK(bench.node.count("getAccountInfo") == 0);
    }
}
