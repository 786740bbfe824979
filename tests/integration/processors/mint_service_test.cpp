#include "processors/mint/processor.hpp"
#include "processors/mint/service_minting.hpp"
#include "processors/support/internal_auth.hpp"
#include "support/http_receiver.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <map>
#include <mutex>
#include <string>

// The internal minting service as the second strategy, against a small one that checks signatures.

namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
namespace mint = libqueue::processors::mint;
using libqueue::job_state;
using libqueue::processors::internal_signer;
using libqueue::processors::internal_verifier;
using libqueue::processors::secret;

const std::string shared_key(32, 'k');

bool mentions(const libqueue::job_info& job, const std::string& text) {
    return job.last_error && job.last_error->find(text) != std::string::npos;
}

/// Without %XX.
std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '%' && i + 2 < text.size();
        out.push_back(escaped ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16))
                              : text[i]);
        i += escaped ? 2 : 0;
    }
    return out;
}

/// Mints a ticket once it was asked for its status as often as `looks`.
class minting_service {
   public:
    minting_service() {
        verifier_.allow("workerd", secret{shared_key});
        receiver_.reply_with([this](const test::http_request& request) {
            const std::lock_guard lock{mutex_};
            return answer(request);
        });
    }

    [[nodiscard]] std::string url() const {
        auto url = receiver_.url("/");
        url.pop_back();
        return url;
    }
    /// What is answered to the next posts, one after the other, instead of doing it; 0: it is done
    /// and the connection closed.
    void fail_posts(std::vector<int> statuses) {
        const std::lock_guard lock{mutex_};
        failures_ = std::move(statuses);
    }
    [[nodiscard]] int mints() const {
        const std::lock_guard lock{mutex_};
        return static_cast<int>(looks_.size());
    }
    [[nodiscard]] int posts() const {
        const std::lock_guard lock{mutex_};
        return posts_;
    }
    [[nodiscard]] std::vector<test::http_request> requests() const { return receiver_.requests(); }

   private:
    test::http_reply answer(const test::http_request& request) {
        libqueue::processors::received_call call{request.method, request.target, request.body};
        call.header = [&request](std::string_view name) {
            return request.header(name);
        };
        if (!verifier_.verify(call)) {
            return test::http_reply{401};
        }
        if (request.method == "GET") {
            return status(unescaped(request.target));
        }
        ++posts_;
        int failure = -1;
        if (!failures_.empty()) {
            failure = failures_.front();
            failures_.erase(failures_.begin());
        }
        if (failure > 0) {
            return test::http_reply{failure};
        }
        const auto body = json::parse(request.body);
        const auto ticket = json::value_to<std::string>(body.at("ticketId"));
        looks_.emplace("/api/v1/internal/mint/" + ticket + "/status", 2);
        test::http_reply reply{202, R"({"status":"pending"})"};
        reply.drop = failure == 0;
        return reply;
    }
    test::http_reply status(const std::string& target) {
        const auto found = looks_.find(target);
        if (found == looks_.end()) {
            return test::http_reply{404};
        }
        if (found->second-- > 0) {
            return test::http_reply{200, R"({"status":"processing"})"};
        }
        return test::http_reply{200, R"({"status":"completed","address":"A1","signature":"S1"})"};
    }

    mutable std::mutex mutex_;
    internal_verifier verifier_;
    std::map<std::string, int> looks_;
    std::vector<int> failures_;
    int posts_{0};
    test::http_receiver receiver_;  // last: it stops answering before the rest goes
};

class service_bench {
   public:
    service_bench() { start(shared_key); }
    explicit service_bench(const std::string& key) { start(key); }

    libqueue::job_info run(const std::string& ticket, int attempts = 4) {
        libqueue::new_job job{"ticket.mint",
                              R"({"ticket": ")" + ticket +
                                  R"(", "user": "u", "name": "n", "recipient": )" +
                                  R"("4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA"})"};
        return client_.wait(client_.enqueue(job.attempts(attempts)).value().id, 20s).value();
    }

    minting_service service;
    test::test_database database;

   private:
    void start(const std::string& key) {
        mint::options options;
        options.service_url = service.url();
        options.signer = std::make_shared<const internal_signer>("workerd", secret{key});
        options.rpc_timeout = 2s;
        options.poll_interval = 20ms;
        options.look_again = 50ms;
        options.confirm_wait = 5s;
        options.allow_http = true;
        auto kinds = mint::make_registrations(std::move(options));
        for (auto& kind : kinds) {
            kind.options.limit.clear();
            kind.options.retry =
                libqueue::retry_policy{libqueue::backoff_strategy::fixed, 20ms, 20ms, false};
        }
        libqueue::worker_options made;
        made.dsn = database.dsn();
        made.queues.emplace_back("default", 10);
        made.migration_sets.push_back(mint::migrations());
        worker_ = std::make_unique<libqueue::worker>(made, std::move(kinds));
        worker_->start();
    }

    libqueue::client client_{libqueue::client_options{database.dsn()}};
    std::unique_ptr<libqueue::worker> worker_;
};

libqueue::processors::http_response answered(long status, const std::string& body = {}) {
    libqueue::processors::http_response response;
    response.end = libqueue::processors::http_end::answered;
    response.status = status;
    response.body = body;
    return response;
}

}  // namespace

TEST_SUITE("processors: mint by the service") {
    TEST_CASE("a ticket is asked for, posted once and waited for") {
        service_bench bench;

        const auto job = bench.run("T 1/2");

        REQUIRE(job.state == job_state::completed);
        CHECK(job.output == R"({"address": "A1", "signature": "S1"})");
        CHECK(bench.service.posts() == 1);
        const auto requests = bench.service.requests();
        CHECK(requests.front().method == "GET");
        CHECK(requests.front().target == "/api/v1/internal/mint/T%201%2F2/status");
        CHECK(bench.database.query("SELECT strategy || ' ' || state FROM mint.mints") ==
              "service minted");
    }

    TEST_CASE("a post whose answer is lost is not made again") {
        service_bench bench;
        bench.service.fail_posts({0});

        const auto job = bench.run("T1");

        CHECK(job.state == job_state::completed);
        CHECK(bench.service.posts() == 1);
        CHECK(bench.service.mints() == 1);
    }

    TEST_CASE("a post the service did not take is made again, by a run that found out") {
        service_bench bench;
        bench.service.fail_posts({503, 500});

        const auto job = bench.run("T1");

        CHECK(job.state == job_state::completed);
        CHECK(bench.service.posts() == 3);
        CHECK(bench.service.mints() == 1);
        CHECK(bench.database.query("SELECT state FROM queue.effects") == "committed");
    }

    TEST_CASE("what the service refuses ends the job") {
        service_bench bench;
        bench.service.fail_posts({422});

        const auto job = bench.run("T1");

        CHECK(job.state == job_state::dead);
        CHECK(job.attempt == 1);
        CHECK(mentions(job, "the minting service answered 422"));
        CHECK(bench.database.query("SELECT state FROM mint.mints") == "failed");
    }

    TEST_CASE("a key the service does not know lets no job through") {
        service_bench bench{std::string(32, 'x')};

        const auto job = bench.run("T1", 2);

        CHECK(job.state == job_state::dead);
        CHECK(mentions(job, "the minting service answered 401"));
        CHECK(bench.service.posts() == 0);
    }

    TEST_CASE("answers are read for what they say and nothing else") {
        using mint::service_word;
        const auto word = [](long status, const std::string& body = {}) {
            return mint::read_service_answer(answered(status, body)).word;
        };
        CHECK(word(200, R"({"status":"completed"})") == service_word::minted);
        CHECK(word(200, R"({"status":"processing"})") == service_word::under_way);
        CHECK(word(200, R"({"status":"failed"})") == service_word::failed);
        CHECK(word(200, R"({"status":"perhaps"})") == service_word::unknown);
        CHECK(word(200, "canary") == service_word::unknown);
        CHECK(word(404) == service_word::unheard);
        CHECK(word(409) == service_word::under_way);
        CHECK(word(422) == service_word::refused);
        for (const long status : {401, 403, 429, 500, 502, 503}) {
            CHECK(word(status) == service_word::unknown);
        }
        CHECK(mint::read_service_answer(answered(200, "canary")).text.find("canary") ==
              std::string::npos);
    }
}
