#pragma once

#include "api_call.hpp"
#include "auth/authenticator.hpp"
#include "auth/rate_limiter.hpp"
#include "auth/service_calls.hpp"
#include "call_pool.hpp"
#include "logging/logger.hpp"
#include "net/http_types.hpp"
#include "router.hpp"
#include "stream.hpp"
#include "surroundings.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace workerd::api {

class front_door_options {
   public:
    explicit front_door_options(libqueue::client_options database_)
        : database{std::move(database_)} {}
    libqueue::client_options database;
    std::shared_ptr<const jwt_verifier> jwt;  ///< null: no JWTs
    std::shared_ptr<service_calls> services;  ///< null: no signed requests
    std::vector<std::string> cors_origins;
    int threads = 4;
    int waiting_max = 128;
    int streams = 100;  ///< open at a time
    /// Requests per second of one user, one API token, one address.
    double user_rate = 20;
    double token_rate = 100;
    double address_rate = 10;
};

/// A request that has been answered, for whoever counts them. `route` is the pattern
/// ("/queues/{name}"), never the path, so that its values are few; empty when none was found. So
/// are those of `method`: what is none of HTTP's usual ones is "other".
class request_record {
   public:
    request_record(std::string_view method_, std::string_view route_, int status_,
                   std::chrono::microseconds took_)
        : method{method_}, route{route_}, status{status_}, took{took_} {}
    std::string_view method;
    std::string_view route;
    int status;
    std::chrono::microseconds took;
};

/// Where every HTTP request of the process arrives: /api/v1 goes through authentication, rights,
/// limits and checks to its route, other paths to whom they were given. Loop thread.
class front_door {
   public:
    front_door(tasks& tasks, logger& log, surroundings& around, front_door_options options);
    front_door(const front_door&) = delete;
    front_door& operator=(const front_door&) = delete;
    ~front_door();

    /// Requests whose path is `prefix` or below it ("/health", "/metrics", "/") go there; the
    /// longest prefix wins. The handler runs on the loop and must not block; headers it does not
    /// set get the safe values of the API.
    void mount(std::string prefix, plain_http_handler handler);

    /// Called after each answer, on the loop.
    void observe(std::function<void(const request_record&)> observer) {
        observer_ = std::move(observer);
    }
    /// After a reload. Null: no JWTs from now on.
    void use_jwt(std::shared_ptr<const jwt_verifier> jwt) { who_.use(std::move(jwt)); }
    [[nodiscard]] int in_progress() const noexcept { return *in_progress_; }

    [[nodiscard]] boost::asio::awaitable<http_answer> answer(http_exchange exchange);
    /// What a request gets that could not even be read.
    [[nodiscard]] static http_response refusal(int status, const std::string& reason);

    /// Streams end, and those that come end at once: what keeps connections open for long.
    void end_streams() { events_.stop(); }
    /// Calls that wait end; those that run are waited for by the destructor.
    void stop();

   private:
    class arrival;

    [[nodiscard]] boost::asio::awaitable<http_answer> answer_mounted(http_request request);
    [[nodiscard]] boost::asio::awaitable<http_answer> answer_api(const http_exchange& exchange,
                                                                 arrival& what);
    void arrive(const http_exchange& exchange, arrival& into);
    [[nodiscard]] api::answer serve(arrival& what, libqueue::client& database);
    [[nodiscard]] api::answer serve_known(arrival& what, libqueue::client& database);
    [[nodiscard]] caller know(arrival& what, libqueue::client& database);
    [[nodiscard]] std::optional<caller> find(const arrival& what, libqueue::client& database);
    [[nodiscard]] api::answer run(const arrival& what, api_call& call);
    [[nodiscard]] api::answer run_once(const arrival& what, api_call& call);
    [[nodiscard]] api::answer edit_matched(const arrival& what, api_call& call);
    [[nodiscard]] bool matches(const arrival& what, const api_call& call,
                               libqueue::client& database) const;
    void add_headers(http_response& head, const http_exchange& exchange,
                     const std::string& request_id) const;
    void note(const http_exchange& exchange, const arrival& what, int status,
              std::chrono::steady_clock::time_point since) const;

    logger& log_;
    const surroundings& around_;
    authenticator who_;
    std::shared_ptr<service_calls> services_;  // shared with whoever made it
    router router_;
    std::vector<std::string> cors_origins_;
    rate_limiter user_rates_;
    rate_limiter token_rates_;
    rate_limiter address_rates_;
    std::vector<std::pair<std::string, plain_http_handler>> mounts_;
    std::function<void(const request_record&)> observer_;
    // Shared with the requests: those cut short at the end outlive this.
    std::shared_ptr<std::atomic<int>> in_progress_ = std::make_shared<std::atomic<int>>(0);
    // Edits with If-Match, one after the other: each takes a second connection.
    std::mutex edits_;
    event_hub events_;
    // Last: its threads use all of the above until they are joined.
    call_pool pool_;
};

}  // namespace workerd::api
