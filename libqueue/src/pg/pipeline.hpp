#pragma once

#include "pg/connection.hpp"
#include "pg/failpoint.hpp"
#include "pg/params.hpp"
#include "pg/result.hpp"

#include <libqueue/pooling.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace libqueue::pg {

/// A statement of the engine under the name it is prepared with. Parameter types come from the
/// casts in its text. Must outlive the pipelines that use it, at one address.
class prepared {
   public:
    prepared(std::string name_, std::string sql_) : name{std::move(name_)}, sql{std::move(sql_)} {}
    std::string name;
    std::string sql;
    bool text_rows{false};  ///< its results are in text format
    bool whole{false};      ///< never prepared, and need not outlive its `run`
};

/// One connection in libpq's pipeline mode on one io_context: statements are queued with `send`
/// and travel in one flush; everything between two `run`s is one transaction. Results are binary.
/// Belongs to its io_context's thread. One operation at a time.
class pipeline {
   public:
    explicit pipeline(boost::asio::io_context& io);
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;
    ~pipeline();

    /// Opens the connection (closing an earlier one). Throws sql_failure; also when `at_most` is
    /// over. Of several hosts, the one that did not answer in time is asked last the next time.
    boost::asio::awaitable<void> connect(std::string dsn, std::string application_name,
                                         std::chrono::milliseconds at_most,
                                         pooling how = pooling::session);
    void close() noexcept;
    /// Connected as far as is known; not while `connect` is under way.
    [[nodiscard]] bool is_open() const noexcept;
    /// The session is a pooler's and changes with every transaction. Statements are then sent
    /// whole instead of being prepared.
    [[nodiscard]] bool pooled() const noexcept { return pooled_; }

    /// Queues a prepared statement (preparing it on its first use here).
    void send(const prepared& statement, const params& parameters);
    /// A place where tests make faults happen to this connection or process.
    void pass(failpoint at) {
        if (failpoints_armed()) {
            inject(at);
        }
    }
    /// Queues plain SQL without parameters, for LISTEN and settings.
    void send_text(const std::string& sql);

    /// Ends the transaction, flushes and reads all results, one per queued statement. Throws
    /// sql_failure for the first statement that failed: then the transaction is rolled back and the
    /// pipeline is ready for the next. When the connection is lost it is closed, and
    /// outcome_unknown() tells whether the transaction may have committed.
    boost::asio::awaitable<std::vector<result>> run();
    /// Since when a `run` has been waiting for its answer; `max()` when none is.
    [[nodiscard]] std::chrono::steady_clock::time_point busy_since() const noexcept {
        return busy_since_;
    }
    /// When the last `run` had its whole answer, or the connection was made.
    [[nodiscard]] std::chrono::steady_clock::time_point answered_at() const noexcept {
        return answered_at_;
    }
    /// What the next `run` sends is quick by nature: a silence longer than this means that the
    /// connection is dead, whatever the watch allows otherwise.
    void expect_answer_within(std::chrono::milliseconds limit) noexcept { patience_ = limit; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> patience() const noexcept {
        return patience_;
    }
    /// Makes a `run` under way fail as a lost connection. For a peer that fell silent.
    void abort() noexcept;

    /// Between runs: waits until the server sends something (a notification, or the end).
    /// When the connection is lost it is closed and the wait ends without an exception, which an
    /// operator || would hold back until the other side is done. `cancel_wait` ends the wait early
    /// and does nothing to a `run`.
    boost::asio::awaitable<void> wait_readable();
    void cancel_wait() noexcept;
    /// Payloads of notifications received so far.
    [[nodiscard]] std::vector<std::string> take_notifications();

   private:
    enum class step { prepare, statement, text };

    boost::asio::awaitable<void> poll_connect(std::chrono::steady_clock::time_point until);
    boost::asio::awaitable<bool> meets_pooler();
    boost::asio::awaitable<void> flush();
    boost::asio::awaitable<pg_result*> next();
    boost::asio::awaitable<void> read_until_sync(std::vector<result>& results,
                                                 std::unique_ptr<sql_failure>& first_error);
    void inject(failpoint at);
    void attach_socket();
    void note_notifications();
    [[noreturn]] void lost(bool outcome_unknown);

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor socket_;
    pg_conn* raw_{nullptr};
    std::vector<step> queued_;
    std::vector<const prepared*> preparing_;
    std::unordered_set<const prepared*> prepared_;
    std::vector<std::string> notifications_;
    params::view view_;
    bool pooled_{false};
    std::size_t first_host_{0};
    std::optional<std::chrono::milliseconds> patience_;
    std::chrono::steady_clock::time_point answered_at_{};
    std::chrono::steady_clock::time_point busy_since_{std::chrono::steady_clock::time_point::max()};
};

}  // namespace libqueue::pg
