#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/limit_options.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace libqueue {

/// The producer API for Asio programs: every verb takes a completion token (callback, use_future,
/// use_awaitable, deferred, ...). The signature is `void(std::exception_ptr, T)`: the pointer holds
/// a `failure` when the environment failed, T is a `result` otherwise.
///
/// Calls are queued to one internal thread with its own connection and answered on the handler's
/// associated executor (default: the one given here), never inline. Thread-safe. Destroying the
/// client waits for the call under way; those still queued complete with a `failure`.
///
/// gcc 12: pass a *named* new_job with std::move, never a braced temporary beside `co_await`.
class async_client {
   public:
    async_client(boost::asio::any_io_executor executor, client_options options);
    async_client(const async_client&) = delete;
    async_client& operator=(const async_client&) = delete;
    ~async_client();

    template <typename Token>
    auto enqueue(new_job job, Token&& token) {
        return boost::asio::async_initiate<Token, void(std::exception_ptr, result<enqueued>)>(
            [this](auto handler, new_job moved) {
                start_enqueue(std::move(moved), std::move(handler));
            },
            token, std::move(job));
    }

    template <typename Token>
    auto enqueue_many(std::vector<new_job> jobs, Token&& token) {
        return boost::asio::async_initiate<Token,
                                           void(std::exception_ptr, result<std::vector<job_id>>)>(
            [this](auto handler, std::vector<new_job> moved) {
                start_enqueue_many(std::move(moved), std::move(handler));
            },
            token, std::move(jobs));
    }

    template <typename Token>
    auto get(job_id id, Token&& token) {
        return boost::asio::async_initiate<Token, void(std::exception_ptr, result<job_info>)>(
            [this](auto handler, job_id which) { start_get(which, std::move(handler)); }, token,
            id);
    }

    /// Tokens of a limit, as limit_control::reserve. Nothing is waited for: when granted, the
    /// caller sleeps for `wait` in its own way before it goes on. `at_most` 0 takes now or not at
    /// all.
    template <typename Token>
    auto reserve(std::string limit, int n, std::chrono::microseconds at_most, std::string key,
                 Token&& token) {
        return boost::asio::async_initiate<Token, void(std::exception_ptr, result<grant>)>(
            [this](auto handler, std::string name, int tokens, std::chrono::microseconds most,
                   std::string of) {
                start_reserve(std::move(name), tokens, most, std::move(of), std::move(handler));
            },
            token, std::move(limit), n, at_most, std::move(key));
    }

   private:
    template <typename T>
    using completion = boost::asio::any_completion_handler<void(std::exception_ptr, result<T>)>;

    void start_enqueue(new_job job, completion<enqueued> handler);
    void start_enqueue_many(std::vector<new_job> jobs, completion<std::vector<job_id>> handler);
    void start_get(job_id id, completion<job_info> handler);
    void start_reserve(std::string limit, int n, std::chrono::microseconds at_most, std::string key,
                       completion<grant> handler);

    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace libqueue
