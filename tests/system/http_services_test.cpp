#include "api_rig.hpp"
#include "processors/support/internal_auth.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

// Requests that services of the platform sign, from the configuration file to the answer: what
// docs/auth.md promises of them.

using namespace std::chrono_literals;
namespace processors = libqueue::processors;

namespace {

const std::string body{R"({"kind":"order.paid","payload":{"order":7}})"};

/// Services that call, and a workerd that knows their keys.
class platform {
   public:
    platform() {
        for (const auto& file : {key_file_, old_file_, small_file_})
            std::filesystem::permissions(
                file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }

    [[nodiscard]] std::string config(const std::string& more = {}) const {
        return "http:\n  listen: \"127.0.0.1:0\"\n"
               "  rate_limits: {token: 100000/s, user: 100000/s, address: 100000/s}\n"
               "  auth:\n    services:\n      billing: {key_file: " +
               key_file_.string() + ", previous_key_file: " + old_file_.string() +
               "}\n      looker: {key_file: " + key_file_.string() + ", role: viewer}\n" + more;
    }
    [[nodiscard]] std::string small_key() const {
        return "      small: {key_file: " + small_file_.string() + "}\n";
    }
    [[nodiscard]] std::string bad_tenant() const {
        return "      strange: {key_file: " + key_file_.string() +
               ", tenant_id: 6f1c2f0e-7c5b-4a53-9f64-0a4f6d1f4fzz}\n";
    }

    /// The request with the headers of one who has this key.
    [[nodiscard]] static test::api_request sign(const std::string& service, const std::string& key,
                                                test::api_request request,
                                                std::chrono::seconds late = 0s) {
        const processors::internal_signer signer{service, processors::secret{key}};
        processors::http_request carrier{request.method, "", request.body};
        signer.sign(carrier, "/api/v1" + request.target, std::chrono::system_clock::now() - late);
        for (const auto& line : carrier.headers) {
            const auto colon = line.find(": ");
            request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        }
        return request;
    }

    const std::string key = std::string(32, 'k');
    const std::string old_key = std::string(40, 'o');

   private:
    test::temp_dir folder_;
    std::filesystem::path key_file_{folder_.write("key", key)};
    std::filesystem::path old_file_{folder_.write("old", old_key)};
    std::filesystem::path small_file_{folder_.write("small", "too short")};
};

const test::api_request enqueue{"POST", "/jobs", "", body};
const test::api_request list{"GET", "/jobs?limit=5"};

}  // namespace

TEST_SUITE("services that sign") {
    TEST_CASE("a signed request is served as its service, by either key") {
        const platform from;
        const test::api_rig rig{from.config()};
        CHECK(rig.ask(platform::sign("billing", from.key, enqueue)).status == 201);
        CHECK(rig.ask(platform::sign("billing", from.old_key, enqueue)).status == 201);
        CHECK(rig.ask(platform::sign("billing", from.key, list)).status == 200);
        CHECK(rig.ask(platform::sign("looker", from.key, list)).status == 200);
        CHECK(rig.ask(platform::sign("looker", from.key, enqueue)).status == 403);
        const auto me =
            rig.ask(platform::sign("billing", from.key, test::api_request{"GET", "/whoami"}));
        CHECK(me.text("actor") == "service:billing");
        CHECK(me.text("role") == "operator");
        CHECK(rig.db().query("SELECT count(*) FROM queue.jobs WHERE kind = 'order.paid'") == "2");
    }

    TEST_CASE("what was signed for something else, by somebody else or before is refused") {
        const platform from;
        const test::api_rig rig{from.config()};
        const auto good = platform::sign("billing", from.key, enqueue);
        REQUIRE(rig.ask(good).status == 201);
        CHECK(rig.ask(good).status == 401);

        std::vector<test::api_request> bad;
        bad.push_back(platform::sign("billing", std::string(32, 'x'), enqueue));
        bad.push_back(platform::sign("nobody", from.key, enqueue));
        bad.push_back(platform::sign("looker", from.old_key, list));
        bad.push_back(platform::sign("billing", from.key, enqueue, 90s));
        bad.push_back(platform::sign("billing", from.key, enqueue, -90s));
        bad.push_back(platform::sign("billing", from.key, enqueue));
        bad.back().body = R"({"kind":"order.paid","payload":{"order":8}})";
        bad.push_back(platform::sign("billing", from.key, enqueue));
        bad.back().target = "/jobs?";
        bad.push_back(platform::sign("billing", from.key, test::api_request{"GET", "/queues"}));
        bad.back().target = "/jobs";
        bad.push_back(platform::sign("billing", from.key, enqueue));
        bad.back().headers.pop_back();
        bad.push_back(platform::sign("billing", from.key, enqueue));
        bad.back().headers.at(1).second = "99999999999";
        for (std::size_t i = 0; i < bad.size(); ++i) {
            CAPTURE(i);
            CHECK(rig.ask(bad[i]).status == 401);
        }
        CHECK(rig.db().query("SELECT count(*) FROM queue.jobs WHERE kind = 'order.paid'") == "1");
    }

    TEST_CASE("what one process took is refused by the next, which has not seen it") {
        const platform from;
        test::api_rig rig{from.config()};
        const auto good = platform::sign("billing", from.key, enqueue);
        REQUIRE(rig.ask(good).status == 201);
        rig.restart();
        CHECK(rig.ask(good).status == 401);
        CHECK(rig.ask(platform::sign("billing", from.key, enqueue)).status == 201);
        CHECK(rig.db().query("SELECT count(*) FROM queue.jobs WHERE kind = 'order.paid'") == "2");
    }

    TEST_CASE("keys and tenants that cannot be used are refused at the start") {
        const platform from;
        CHECK_THROWS(test::api_rig{from.config(from.small_key())});
        CHECK_THROWS(test::api_rig{from.config(from.bad_tenant())});
    }
}
