#pragma once

#include "engine/async.hpp"
#include "engine/provider_reports.hpp"
#include "engine/run_log.hpp"

#include <libqueue/job.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>
#include <libqueue/worker.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace libqueue::engine {

class lane;
class runtime;
struct kind_state;
struct queue_state;

/// One claimed job from claim to acknowledgement. Owned by the runtime (while unstarted or
/// running) and by the task that runs the handler, hence shared: an abandoned blocking handler may
/// outlive the runtime's interest in it.
class job_run {
   public:
    job_run(boost::asio::io_context& io, libqueue::job what) : io_{io}, job{std::move(what)} {}
    job_run(const job_run&) = delete;
    job_run& operator=(const job_run&) = delete;

    /// Loop thread. The first reason stands.
    void ask_to_stop(stop_reason reason);
    [[nodiscard]] stop_reason reason() const noexcept {
        return reason_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::stop_token stop_token();

    void report_progress(double fraction, std::string text);
    struct progress {
        double fraction;
        std::string text;
    };
    /// The latest report since the last call.
    [[nodiscard]] std::optional<progress> take_progress();

    void note_requests(std::int64_t requests, std::int64_t errors);
    void note_throttled(std::chrono::milliseconds time, std::string limit);
    /// What the handler said of its provider since the last call.
    [[nodiscard]] provider_words take_provider_words();

    /// Any thread. Asks for an early heartbeat when many lines wait.
    void log(log_level level, const std::string& text);
    /// The lines since the last call; `last`: with a word about those that were dropped.
    [[nodiscard]] std::vector<log_line> take_log(bool last);

    /// Any thread. Kept only while somebody observes; what is over the bound is dropped.
    void add_measure(measure what);
    void add_call(outbound_call what);
    /// What was told since the last call.
    [[nodiscard]] std::vector<measure> take_measures();
    [[nodiscard]] std::vector<outbound_call> take_calls();

    /// Any thread. Steps whose effect may have happened while nobody has said so.
    bool open_effect(const std::string& step);  ///< whether it was not before
    void close_effect(const std::string& step);
    /// The name of one, or nothing.
    [[nodiscard]] std::optional<std::string> open_effect();

    boost::asio::awaitable<bool> sleep(std::chrono::milliseconds time);
    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }

   private:
    /// What most runs never need.
    struct records {
        run_log log;
        std::vector<std::string> open_effects;
        std::vector<measure> measures;
        std::vector<outbound_call> calls;
    };
    records& made_records();

    boost::asio::io_context& io_;
    std::atomic<stop_reason> reason_{stop_reason::none};
    std::atomic<bool> has_records_{false};
    std::mutex mutex_;  // guards what follows
    std::unique_ptr<records> records_;
    std::optional<std::stop_source> stop_;
    std::optional<progress> progress_;
    provider_words provider_;
    std::unique_ptr<boost::asio::steady_timer> sleeper_;  // loop thread only

   public:
    // Loop thread only, except that `job`, `started` and `deadline` do not change while it runs.
    libqueue::job job;
    kind_state* kind{nullptr};
    queue_state* queue{nullptr};
    lane* owner{nullptr};
    runtime* home{nullptr};  // set when it starts
    int used_attempts{0};
    std::int64_t place_run_at{0};  // where it stood in line, µs since 2000
    int line_id{0};
    job_limits limits;  // null: under none
    clock::time_point started{};
    clock::time_point deadline{clock::time_point::max()};
    std::size_t index{0};  // among the running
    bool sealed{false};    // its payload was: so will be its output
    bool finished{false};  // an outcome was recorded (abandoned or lost runs: before they return)
};

using run_ptr = std::shared_ptr<job_run>;

}  // namespace libqueue::engine
