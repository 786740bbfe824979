#include "processors/support/http_client.hpp"

#include "processors/support/form_body.hpp"
#include "processors/support/trace_state.hpp"
#include "processors/support/transfer_loop.hpp"
#include "support/http_receiver.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

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

namespace {

class call_bench {
   public:
    http_response call(const std::string& method = "POST") {
        libqueue::job job;
        job.meta = meta;
        run_view run{job};
        run.executor = loop.get_executor();
        run.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        http_request request{method, receiver.url(), method == "GET" ? "" : "{}"};
        request.allow_http = true;
        request.addresses = address_policy::any;
        return test::run(loop, libqueue::processors::call(run, request, policy));
    }

    std::string meta;
    test::http_receiver receiver;
    boost::asio::io_context loop;
    call_policy policy;
};

test::http_reply reply(int status, const std::string& retry_after = {}) {
    test::http_reply made{status};
    if (!retry_after.empty()) {
        made.headers.emplace_back("retry-after", retry_after);
    }
    return made;
}

}  // namespace

TEST_CASE("a call that may be repeated is, up to three times, when the answer may be another") {
    for (const int status : {429, 502, 503, 504}) {
        CAPTURE(status);
        call_bench bench;
        bench.policy.repeatable = true;
        bench.policy.first_wait = std::chrono::milliseconds{1};
        bench.receiver.reply_in_turn({reply(status), reply(status), reply(200)});
        CHECK_EQ(bench.call().status, 200);
        CHECK_EQ(bench.receiver.requests().size(), 3);
        bench.receiver.reply_in_turn({reply(status)});
        CHECK_EQ(bench.call().status, status);
        CHECK_EQ(bench.receiver.requests().size(), 6);
    }
}

TEST_CASE("other answers end a call, and 500 does unless nothing was to be changed") {
    for (const int status : {200, 302, 400, 401, 402, 404, 408, 409, 500, 501}) {
        CAPTURE(status);
        call_bench bench;
        bench.policy.repeatable = true;
        bench.policy.first_wait = std::chrono::milliseconds{1};
        bench.receiver.reply_in_turn({reply(status)});
        CHECK_EQ(bench.call().status, status);
        CHECK_EQ(bench.receiver.requests().size(), 1);
    }
    call_bench bench;
    bench.policy.repeatable = true;
    bench.policy.first_wait = std::chrono::milliseconds{1};
    bench.receiver.reply_in_turn({reply(500), reply(200)});
    CHECK_EQ(bench.call("GET").status, 200);
}

TEST_CASE("a call that may not be repeated is made once, a lost answer included") {
    call_bench bench;
    bench.receiver.reply_in_turn({reply(503), reply(200)});
    CHECK_EQ(bench.call().status, 503);
    test::http_reply lost;
    lost.drop = true;
    bench.receiver.reply_in_turn({lost, reply(200)});
    const auto response = bench.call();
    CHECK(response.end == http_end::failed);
    CHECK(response.sent);
}

TEST_CASE("a call neither waits past its deadline nor for a Retry-After over the longest wait") {
    call_bench bench;
    bench.policy.repeatable = true;
    bench.policy.timeout = std::chrono::milliseconds{2'000};
    bench.policy.first_wait = std::chrono::milliseconds{3'000};
    bench.receiver.reply_in_turn({reply(503), reply(200)});
    CHECK_EQ(bench.call().status, 503);
    bench.policy.first_wait = std::chrono::milliseconds{1};
    bench.receiver.reply_in_turn({reply(429, "60"), reply(200)});
    CHECK_EQ(bench.call().status, 429);
    CHECK_EQ(bench.receiver.requests().size(), 2);
}

TEST_CASE("a call carries the trace, and the time that is left only when it is told to") {
    call_bench bench;
    CHECK_EQ(bench.call().status, 200);
    CHECK(bench.receiver.requests().back().header("traceparent").starts_with("00-0af7"));
    CHECK_EQ(bench.receiver.requests().back().header("x-request-deadline"), "");
    bench.policy.tell_deadline = true;
    bench.policy.timeout = std::chrono::milliseconds{5'000};
    CHECK_EQ(bench.call().status, 200);
    const auto left = std::stoi(bench.receiver.requests().back().header("x-request-deadline"));
    CHECK(left > 0);
    CHECK(left <= 5'000);
}

TEST_CASE("a call carries the trace's state as the job has it, and none that is not valid") {
    call_bench bench;
    const auto carried = [&](const std::string& meta) {
        bench.meta = meta;
        CHECK_EQ(bench.call().status, 200);
        return bench.receiver.requests().back().header("tracestate");
    };
    CHECK_EQ(carried(R"({"n": 1, "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"})"),
             "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    CHECK_EQ(carried(""), "");
    CHECK_EQ(carried(R"({"tracestate": 7})"), "");
    CHECK_EQ(carried(R"({"tracestate": "a=1\r\nx-evil: 1"})"), "");
    CHECK_EQ(carried(R"({"other": "\"tracestate\""})"), "");
}

TEST_CASE("tracestate: what W3C Trace Context allows") {
    using libqueue::processors::is_tracestate;
    std::string many{"k0=v"};
    for (int i = 1; i < 32; ++i) {
        many += ",k" + std::to_string(i) + "=v";
    }
    CHECK(is_tracestate(many));
    CHECK_FALSE(is_tracestate(many + ",k32=v"));
    CHECK(is_tracestate("fw529a3039@dt=FfAsAGaA;0;1, 2x=a b ,,"));
    CHECK(is_tracestate("a=" + std::string(256, 'v')));
    for (const auto* text : {"", ",", "a", "A=1", "=1", "a=", "a=b=c", "-a=1", "a=\x7f", "a=\t1"}) {
        CAPTURE(text);
        CHECK_FALSE(is_tracestate(text));
    }
    CHECK_FALSE(is_tracestate("a=" + std::string(257, 'v')));
    CHECK_FALSE(is_tracestate("a=" + std::string(254, 'v') + ",b=" + std::string(254, 'v')));
}

TEST_CASE("a request that found nobody says that it was not sent") {
    libqueue::job job;
    boost::asio::io_context loop;
    run_view run{job};
    run.executor = loop.get_executor();
    http_request request{"http://127.0.0.1:" + std::to_string(test::free_tcp_port()) + "/", "{}"};
    request.allow_http = true;
    request.addresses = address_policy::any;
    const call_policy policy;
    const auto response = test::run(loop, libqueue::processors::call(run, request, policy));
    CHECK(response.end == http_end::failed);
    CHECK_FALSE(response.sent);
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
