#pragma once

#include "net/http_server.hpp"

#include <libqueue/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace workerd {

/// How the process answers the three questions of a supervisor. Bodies name states, never
/// addresses, users or error texts.
///   /health/live     all loops run; never looks at the database
///   /health/ready    the database answers within 2 s (over 1 s: degraded), its schema is ours, the
///                    worker beats and does not drain: 200, else 503; clocks that differ by more
///                    than 5 s are degraded
///   /health/startup  the first claim was made: 200, before that 503
class health {
   public:
    health(boost::asio::io_context& loop, std::string dsn, std::string schema,
           const libqueue::worker& worker);
    health(const health&) = delete;
    health& operator=(const health&) = delete;

    /// How far the database's clock is ahead of ours, as last measured; before it is asked. More
    /// than 5 s either way is degraded: times on both sides cannot be compared.
    void clock_by(std::function<std::chrono::milliseconds()> offset) {
        clock_offset_ = std::move(offset);
    }

    /// From any thread.
    void mark_started() noexcept { started_ = true; }
    void mark_draining() noexcept { draining_ = true; }
    /// The worker's loop does not turn.
    void mark_silent(bool silent) noexcept { silent_ = silent; }

    [[nodiscard]] boost::asio::awaitable<http_response> answer(http_request request);

   private:
    enum class level { up, degraded, down };
    class report {
       public:
        report() = default;
        level database = level::down;
        level schema = level::down;
        std::chrono::steady_clock::time_point at{};
    };

    [[nodiscard]] boost::asio::awaitable<report> look();
    [[nodiscard]] bool is_fresh() const;
    void start_question();
    [[nodiscard]] report ask_database() const;
    [[nodiscard]] http_response ready(const report& seen) const;
    [[nodiscard]] static const char* text(level value) noexcept;

    std::function<std::chrono::milliseconds()> clock_offset_;
    std::string dsn_;
    std::string schema_;
    const libqueue::worker& worker_;
    std::atomic<bool> started_{false};
    std::atomic<bool> draining_{false};
    std::atomic<bool> silent_{false};
    // The database is asked on a thread of its own, at most once a second: neither can questions
    // load it, nor can a database that hangs delay an answer.
    boost::asio::io_context& loop_;
    boost::asio::steady_timer answered_;
    bool asking_ = false;
    report last_;
    // Last, so that it is joined while what its question uses still lives.
    boost::asio::thread_pool pool_;
};

}  // namespace workerd
