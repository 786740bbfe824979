#pragma once

#include "api_call.hpp"
#include "auth/authenticator.hpp"
#include "call_pool.hpp"
#include "logging/logger.hpp"
#include "net/http_server.hpp"
#include "router.hpp"
#include "surroundings.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace workerd::api {

class front_door_options {
   public:
    front_door_options(libqueue::client_options database_, token_source tokens_)
        : database{std::move(database_)}, tokens{std::move(tokens_)} {}
    libqueue::client_options database;
    token_source tokens;
    int threads = 4;
    int waiting_max = 128;
};

/// Where every HTTP request of the process arrives: /api/v1 goes through authentication, rights,
/// limits and checks to its route, other paths to whom they were given. Loop thread.
class front_door {
   public:
    front_door(logger& log, const surroundings& around, front_door_options options);
    front_door(const front_door&) = delete;
    front_door& operator=(const front_door&) = delete;

    /// Requests whose path begins with `prefix` ("/health", "/metrics", "/") go there; the longest
    /// prefix wins. The handler runs on the loop and must not block.
    void mount(std::string prefix,
               std::function<boost::asio::awaitable<http_response>(http_request)> handler);

    [[nodiscard]] boost::asio::awaitable<http_response> answer(http_request request);

    /// Calls that wait end; those that run are waited for by the destructor.
    void stop();

   private:
    class arrival;

    [[nodiscard]] boost::asio::awaitable<http_response> answer_api(http_request request);
    [[nodiscard]] api::answer serve(const arrival& what, libqueue::client& database) const;
    void arrive(const http_request& request, arrival& into) const;

    logger& log_;
    const surroundings& around_;
    token_source tokens_;
    router router_;
    std::vector<
        std::pair<std::string, std::function<boost::asio::awaitable<http_response>(http_request)>>>
        mounts_;
    call_pool pool_;
};

}  // namespace workerd::api
