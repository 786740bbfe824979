#include "processors/debug/processor.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/run_view.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

// Each frame is read after the call, so that no optimiser turns the recursion into a loop.
[[gnu::noinline]] int overflow_stack(volatile int* above) {
    volatile int frame[1024];
    frame[0] = *above + 1;
    if (*above < 0) {
        return 0;  // never: the stack ends long before
    }
    return overflow_stack(frame) + frame[0];
}

void eat_memory() {
    constexpr rlim_t left = rlim_t{1} << 30;
    rlimit limit{};
    ::getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = std::min(limit.rlim_max, left);
    ::setrlimit(RLIMIT_DATA, &limit);
    constexpr std::size_t piece = 1 << 20;
    std::vector<std::string> pieces;
    while (true) {
        pieces.emplace_back(piece, 'x');
    }
}

void eat_descriptors() {
    while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
    }
}

awaitable<outcome> crash(job_context& context) {
    payload_reader payload{context.payload()};
    const auto number = payload.optional_integer("signal", 1, SIGRTMAX);
    const auto how = payload.optional_text("how").value_or("signal");
    constexpr std::array ways{"signal", "exit", "stack", "memory", "descriptors", "loop"};
    if (std::find(ways.begin(), ways.end(), how) == ways.end()) {
        payload.fault("how",
                      "expected signal, exit, stack, memory, descriptors or loop, got another "
                      "string");
    }
    if (!payload.ok()) {
        co_return discard(payload.faults());
    }
    if (how == "exit") {
        ::_exit(0);
    }
    if (how == "stack") {
        volatile int start = 0;
        co_return completed(std::to_string(overflow_stack(&start)));
    }
    if (how == "memory") {
        eat_memory();
    }
    if (how == "descriptors") {
        eat_descriptors();
        co_return completed(R"({"survived":true})");
    }
    if (how == "loop") {
        volatile bool forever = true;
        while (forever) {
        }
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
