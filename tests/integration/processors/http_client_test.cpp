#include "processors/support/form_body.hpp"
#include "processors/support/transfer_loop.hpp"
#include "support/http_receiver.hpp"
#include "support/run.hpp"

#include <doctest/doctest.h>

namespace {

using namespace libqueue::processors;

http_response answer_to(http_request request) {
    boost::asio::io_context loop;
    request.allow_http = true;
    request.addresses = address_policy::any;
    auto transfers = transfer_loop_of(loop.get_executor(), request.addresses);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    return test::run(loop, perform(transfers, request, {}, deadline));
}

}  // namespace

TEST_CASE("a request goes out with its method and body") {
    const test::http_receiver receiver;
    class expectation {
       public:
        std::string method, body, length;
    };
    for (const auto& [method, body, length] :
         {expectation{"POST", "a=1", "3"}, expectation{"POST", "", "0"},
          expectation{"PUT", "x", "1"}, expectation{"PATCH", "y", "1"}, expectation{"GET", "", ""},
          expectation{"DELETE", "", ""}, expectation{"DELETE", "z", "1"}}) {
        CAPTURE(method);
        CAPTURE(body);
        const auto response = answer_to(http_request{method, receiver.url("/there?q=1"), body});
        CHECK_EQ(response.status, 200);
        const auto last = receiver.requests().back();
        CHECK_EQ(last.method, method);
        CHECK_EQ(last.target, "/there?q=1");
        CHECK_EQ(last.body, body);
        CHECK_EQ(last.header("content-length"), length);
    }
}

TEST_CASE("a form keeps the brackets of names and encodes everything else") {
    form_body form;
    form.add("amount", std::int64_t{1250});
    form.add(nested("metadata", "libqueue_job"), "42");
    form.add(nested(nested("items", std::size_t{0}), "na me"), "a b&c=d+e%\xc3\xa4~");
    CHECK_EQ(form.text(),
             "amount=1250&metadata[libqueue_job]=42&"
             "items[0][na%20me]=a%20b%26c%3Dd%2Be%25%C3%A4~");
    CHECK_EQ(percent_encoded("pi_1/[x]?"), "pi_1%2F%5Bx%5D%3F");
}
