#include "pg/pipeline.hpp"

#include "pg/host_order.hpp"
#include "pg/sqlstate.hpp"

#include <sql/backend_pid.hpp>
#include <sql/inject_failure.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace libqueue::pg {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr auto use_ec = asio::as_tuple(asio::use_awaitable);
constexpr int binary{1};
// With other hosts to ask, one that does not answer gets no more than this.
constexpr std::chrono::milliseconds host_patience{3'000};

sql_failure failure_of(PGconn* raw, const PGresult* answer, bool outcome_unknown) {
    const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
    const char* hint = PQresultErrorField(answer, PG_DIAG_MESSAGE_HINT);
    const std::string code = state != nullptr ? state : "";
    const bool gone = PQstatus(raw) != CONNECTION_OK || breaks_connection(code);
    return sql_failure{message != nullptr ? message : PQresultErrorMessage(answer), code, gone,
                       gone && outcome_unknown && !tells_outcome(code),
                       hint != nullptr ? hint : ""};
}

}  // namespace

pipeline::pipeline(asio::io_context& io) : io_{io}, socket_{io} {}

pipeline::~pipeline() {
    close();
}

void pipeline::close() noexcept {
    // libpq closes the descriptor; Asio must have let go of it before.
    if (socket_.is_open()) {
        socket_.release();
    }
    if (raw_ != nullptr) {
        PQfinish(raw_);
        raw_ = nullptr;
    }
    queued_.clear();
    preparing_.clear();
    prepared_.clear();
    notifications_.clear();
    busy_since_ = clock::time_point::max();
    patience_.reset();
}

bool pipeline::is_open() const noexcept {
    return raw_ != nullptr && PQstatus(raw_) == CONNECTION_OK;
}

void pipeline::lost(bool outcome_unknown) {
    std::string message = raw_ != nullptr ? PQerrorMessage(raw_) : "";
    while (!message.empty() && message.back() == '\n') {
        message.pop_back();
    }
    close();
    throw sql_failure{message.empty() ? "the connection to PostgreSQL was lost" : message,
                      {},
                      true,
                      outcome_unknown,
                      {}};
}

void pipeline::attach_socket() {
    // The descriptor may change between polls of a connection under way, so it is read anew.
    const int descriptor = PQsocket(raw_);
    if (socket_.is_open()) {
        if (socket_.native_handle() == descriptor) {
            return;
        }
        socket_.release();
    }
    socket_.assign(descriptor);
}

asio::awaitable<void> pipeline::connect(std::string dsn, std::string application_name,
                                        std::chrono::milliseconds at_most, pooling how) {
    close();
    const host_order hosts{dsn, first_host_};
    // What comes before the connection string are defaults it may change: a peer that is gone is
    // found within 15 s, and after a failover only the new primary will do.
    std::vector<const char*> keys{"keepalives_idle",  "keepalives_interval",  "keepalives_count",
                                  "tcp_user_timeout", "target_session_attrs", "dbname",
                                  "application_name", "client_encoding"};
    std::vector<const char*> values{
        "5", "3", "3", "10000", "read-write", dsn.c_str(), application_name.c_str(), "UTF8"};
    hosts.append_to(keys, values);
    keys.push_back(nullptr);
    values.push_back(nullptr);
    raw_ = PQconnectStartParams(keys.data(), values.data(), 1);
    if (raw_ == nullptr || PQstatus(raw_) == CONNECTION_BAD) {
        lost(false);
    }
    // What the server says beside its answers would go to our standard error otherwise.
    PQsetNoticeProcessor(
        raw_, [](void*, const char*) {}, nullptr);
    // Counted on beforehand: a connect that hangs ends with an exception.
    ++first_host_;
    co_await poll_connect(clock::now() +
                          (hosts.several() ? std::min(at_most, host_patience) : at_most));
    --first_host_;
    if (PQsetnonblocking(raw_, 1) != 0 || PQenterPipelineMode(raw_) != 1) {
        lost(false);
    }
    attach_socket();
    answered_at_ = clock::now();
    pooled_ = how == pooling::transaction;
    if (how == pooling::detect) {
        try {
            pooled_ = co_await meets_pooler();
        } catch (const sql_failure&) {
            close();
            throw;
        }
    }
}

/// Nobody but the server knows its process; see the statement.
asio::awaitable<bool> pipeline::meets_pooler() {
    pooled_ = true;  // so that the question itself is not prepared
    const prepared question{"backend_pid", std::string{sql::backend_pid}};
    send(question, params{});
    const std::vector<result> answer = co_await run();
    co_return answer.at(0).binary_int32(0, 0) != PQbackendPID(raw_);
}

asio::awaitable<void> pipeline::poll_connect(clock::time_point until) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer{io_};
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK) {
        if (wanted == PGRES_POLLING_FAILED) {
            lost(false);
        }
        attach_socket();
        const auto direction = wanted == PGRES_POLLING_READING
                                   ? asio::posix::stream_descriptor::wait_read
                                   : asio::posix::stream_descriptor::wait_write;
        timer.expires_at(until);
        auto ready = socket_.async_wait(direction, use_ec);
        auto late = timer.async_wait(use_ec);
        auto first = co_await (std::move(ready) || std::move(late));
        if (first.index() == 1) {
            close();
            throw sql_failure{"connecting to PostgreSQL took too long", {}, true, false, {}};
        }
        wanted = PQconnectPoll(raw_);
    }
}

void pipeline::send(const prepared& statement, const params& parameters) {
    const int format = statement.text_rows ? 0 : binary;
    if (pooled_ || statement.whole) {
        parameters.fill(view_);
        if (PQsendQueryParams(raw_, statement.sql.c_str(), parameters.count(), nullptr,
                              view_.values.data(), view_.lengths.data(), view_.formats.data(),
                              format) != 1) {
            lost(false);
        }
        queued_.push_back(step::statement);
        return;
    }
    if (!prepared_.contains(&statement)) {
        if (PQsendPrepare(raw_, statement.name.c_str(), statement.sql.c_str(), 0, nullptr) != 1) {
            lost(false);
        }
        prepared_.insert(&statement);
        preparing_.push_back(&statement);
        queued_.push_back(step::prepare);
    }
    parameters.fill(view_);
    if (PQsendQueryPrepared(raw_, statement.name.c_str(), parameters.count(), view_.values.data(),
                            view_.lengths.data(), view_.formats.data(), format) != 1) {
        lost(false);
    }
    queued_.push_back(step::statement);
}

void pipeline::send_text(const std::string& sql) {
    if (PQsendQueryParams(raw_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, binary) != 1) {
        lost(false);
    }
    queued_.push_back(step::text);
}

asio::awaitable<void> pipeline::flush() {
    using namespace asio::experimental::awaitable_operators;
    for (int left = PQflush(raw_); left != 0; left = PQflush(raw_)) {
        if (left < 0) {
            lost(true);
        }
        // A server that blocks on sending to us reads nothing: take what it sends meanwhile.
        auto writable = socket_.async_wait(asio::posix::stream_descriptor::wait_write, use_ec);
        auto readable = socket_.async_wait(asio::posix::stream_descriptor::wait_read, use_ec);
        co_await (std::move(writable) || std::move(readable));
        if (raw_ == nullptr || PQconsumeInput(raw_) != 1) {
            lost(true);
        }
    }
}

asio::awaitable<pg_result*> pipeline::next() {
    while (PQisBusy(raw_) != 0) {
        auto [ec] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, use_ec);
        if (ec || raw_ == nullptr || PQconsumeInput(raw_) != 1) {
            lost(true);
        }
    }
    note_notifications();
    co_return PQgetResult(raw_);
}

asio::awaitable<std::vector<result>> pipeline::run() {
    if (raw_ == nullptr || PQpipelineSync(raw_) != 1) {
        lost(false);
    }
    busy_since_ = clock::now();
    co_await flush();
    pass(failpoint::answer_awaited);
    std::vector<result> results;
    std::unique_ptr<sql_failure> first_error;
    co_await read_until_sync(results, first_error);
    busy_since_ = clock::time_point::max();
    patience_.reset();
    answered_at_ = clock::now();
    preparing_.clear();
    queued_.clear();
    if (first_error != nullptr) {
        if (first_error->poisons_connection()) {
            close();
        }
        throw sql_failure{*first_error};
    }
    co_return results;
}

asio::awaitable<void> pipeline::read_until_sync(std::vector<result>& results,
                                                std::unique_ptr<sql_failure>& first_error) {
    results.reserve(queued_.size());
    auto preparing = preparing_.begin();
    for (std::size_t at = 0; at < queued_.size(); ++at) {
        for (PGresult* answer = co_await next(); answer != nullptr; answer = co_await next()) {
            result owned{answer};
            const ExecStatusType status = PQresultStatus(answer);
            if (status == PGRES_FATAL_ERROR && first_error == nullptr) {
                first_error = std::make_unique<sql_failure>(failure_of(raw_, answer, true));
            }
            if (PQstatus(raw_) != CONNECTION_OK) {
                lost(true);
            }
            // A statement stays prepared when its transaction fails later; one that was skipped
            // behind the error was never prepared.
            if (queued_[at] == step::prepare) {
                const prepared* const statement = *preparing++;
                if (status != PGRES_COMMAND_OK) {
                    prepared_.erase(statement);
                }
            }
            const bool rows = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
            if (queued_[at] == step::statement && rows) {
                results.push_back(std::move(owned));
            }
        }
    }
    const result sync{co_await next()};
    if (sync.raw() == nullptr || PQresultStatus(sync.raw()) != PGRES_PIPELINE_SYNC) {
        lost(true);
    }
}

void pipeline::inject(failpoint at) {
    switch (pg::pass(at)) {
        case injected::nothing:
            break;
        case injected::cut:
            abort();
            break;
        case injected::error:
            send_text(std::string{sql::inject_failure});
            break;
    }
}

void pipeline::abort() noexcept {
    if (raw_ != nullptr && PQsocket(raw_) >= 0) {
        ::shutdown(PQsocket(raw_), SHUT_RDWR);
    }
}

asio::awaitable<void> pipeline::wait_readable() {
    auto [ec] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, use_ec);
    if (ec == asio::error::operation_aborted && raw_ != nullptr) {
        co_return;
    }
    if (ec || raw_ == nullptr || PQconsumeInput(raw_) != 1) {
        close();
        co_return;
    }
    note_notifications();
}

void pipeline::cancel_wait() noexcept {
    // Never under a `run`: it would take its answer for lost.
    if (busy_since_ == clock::time_point::max() && is_open()) {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }
}

void pipeline::note_notifications() {
    while (PGnotify* notice = PQnotifies(raw_)) {
        notifications_.emplace_back(notice->extra);
        PQfreemem(notice);
    }
}

std::vector<std::string> pipeline::take_notifications() {
    return std::exchange(notifications_, {});
}

}  // namespace libqueue::pg
