#include "processors/debug/processor.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/run_view.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <utility>

namespace libqueue::processors::debug {

namespace {

using boost::asio::awaitable;

constexpr std::int64_t longest_sleep_ms = 86'400'000;

awaitable<outcome> noop(job_context&) {
    co_return completed();
}

awaitable<outcome> echo(job_context& context) {
    co_return completed(context.payload());
}

awaitable<outcome> sleep(job_context& context) {
    payload_reader payload{context.payload()};
    const auto ms = payload.optional_integer("ms", 0, longest_sleep_ms);
    if (payload.ok() && !ms) {
        payload.fault("ms", "expected milliseconds, got nothing");
    }
    if (!payload.ok()) {
        co_return discard(payload.faults());
    }
    const std::chrono::milliseconds time{*ms};
    const bool whole = co_await context.sleep(time);
    if (!whole) {
        co_return stopped_outcome(context.stop_reason());
    }
    co_return completed();
}

awaitable<outcome> fail(job_context& context) {
    payload_reader payload{context.payload()};
    const auto how = payload.optional_text("class").value_or("retry");
    const auto times = payload.optional_integer("times", 0, 1'000'000);
    if (how != "retry" && how != "discard" && how != "unknown") {
        payload.fault("class", "expected retry, discard or unknown, got another string");
    }
    if (!payload.ok()) {
        co_return discard(payload.faults());
    }
    const int attempt = context.job().attempt;
    if (times && attempt > *times) {
        co_return completed();
    }
    auto why = "debug.fail: attempt " + std::to_string(attempt) + " fails as asked";
    if (how == "discard") {
        co_return discard(std::move(why));
    }
    if (how == "unknown") {
        co_return unknown(std::move(why));
    }
    co_return retry(std::move(why));
}

awaitable<outcome> reconcile_fail(job_context&) {
    co_return completed(R"({"reconciled":true})");
}

awaitable<outcome> crash(job_context& context) {
    payload_reader payload{context.payload()};
    const auto number = payload.optional_integer("signal", 1, SIGRTMAX);
    if (!payload.ok()) {
        co_return discard(payload.faults());
    }
    const int signal = static_cast<int>(number.value_or(SIGKILL));
    // The daemon's own handlers and masks must not turn the crash into an orderly stop.
    std::signal(signal, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    std::raise(signal);
    co_return completed(R"({"survived":true})");  // a signal that kills nobody, such as SIGCHLD
}

awaitable<outcome> hang(job_context& context) {
    payload_reader payload{context.payload()};
    const auto ms = payload.optional_integer("ms", 0, longest_sleep_ms);
    if (payload.ok() && !ms) {
        payload.fault("ms", "expected milliseconds, got nothing");
    }
    if (!payload.ok()) {
        co_return discard(payload.faults());
    }
    // Busy, as the endless loop that this stands for.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{*ms};
    while (std::chrono::steady_clock::now() < end) {
    }
    co_return completed();
}

registration kind(const char* name, awaitable<outcome> (*handle)(job_context&)) {
    registration entry{name};
    entry.handle = handle;
    return entry;
}

}  // namespace

std::vector<registration> make_registrations() {
    std::vector<registration> kinds;
    kinds.push_back(kind("debug.noop", &noop));
    kinds.push_back(kind("debug.echo", &echo));
    kinds.push_back(kind("debug.sleep", &sleep));
    kinds.push_back(kind("debug.fail", &fail));
    kinds.back().reconcile = &reconcile_fail;
    kinds.push_back(kind("debug.crash", &crash));
    kinds.push_back(kind("debug.hang", &hang));
    return kinds;
}

}  // namespace libqueue::processors::debug
