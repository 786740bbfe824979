#include "processors/support/http_client.hpp"
#include "processors/support/transfer_loop.hpp"
#include "support/process.hpp"
#include "support/run.hpp"
#include "support/tls_certificate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace libqueue::processors;

boost::asio::awaitable<void> ask(std::shared_ptr<transfer_loop> loop, const http_request& request,
                                 std::string& into, int& done) {
    const std::stop_token never;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    const auto response = co_await perform(loop, request, never, deadline);
    into = response.body + response.error;
    ++done;
}

}  // namespace

TEST_CASE("a server that speaks HTTP/2 within TLS is spoken to in it, over one connection") {
    const test::tls_certificate certificate;
    const auto script = test::source_dir() / "tests/integration/processors/http2_server.js";
    test::process server{test::process_options{
        "node", {script.string(), certificate.cert().string(), certificate.key().string()}}};
    REQUIRE(server.wait_for_text("."));
    const auto said = server.output();
    const auto port = said.substr(5, said.find('.') - 5);

    boost::asio::io_context io;
    auto loop = transfer_loop_of(io.get_executor(), address_policy::any);
    http_request request{"https://127.0.0.1:" + port + "/x", std::string(20'000, 'x')};
    request.addresses = address_policy::any;
    request.ca_file = certificate.cert();
    int done = 0;
    std::vector<std::string> answers(4);
    for (auto& answer : answers) {
        test::run(io, ask(loop, request, answer, done));
        CHECK_EQ(answer, "2.0 POST 20000 1");
    }
    CHECK_EQ(done, 4);
}
