#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"

#include <libqueue/principal.hpp>

#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace test {

class api_reply {
   public:
    int status{0};                               ///< 0: the connection ended without an answer
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    [[nodiscard]] std::string header(const std::string& name) const;
    [[nodiscard]] boost::json::value json() const;
    /// A member of the body that is a text; else "".
    [[nodiscard]] std::string text(const std::string& member) const;
};

class api_request {
   public:
    explicit api_request(std::string method_ = "GET", std::string target_ = "/",
                         std::string token_ = {}, std::string body_ = {})
        : method{std::move(method_)},
          target{std::move(target_)},
          token{std::move(token_)},
          body{std::move(body_)} {}
    std::string method;
    std::string target;  ///< below /api/v1
    std::string token;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// A workerd with its HTTP API on a database of its own.
class api_rig {
   public:
    explicit api_rig(const std::string& more_config = {});
    api_rig(const api_rig&) = delete;
    api_rig& operator=(const api_rig&) = delete;

    /// Writes the configuration anew and sends SIGHUP; whether it was accepted. Returns when it is
    /// in force.
    bool reload(const std::string& more_config) const;
    /// How often workerd has logged the event.
    [[nodiscard]] std::size_t count(const std::string& event) const;

    /// UUID of a new tenant.
    [[nodiscard]] std::string tenant(const std::string& name) const;
    [[nodiscard]] std::string token(libqueue::role role,
                                    const std::optional<std::string>& tenant = {},
                                    std::optional<std::chrono::seconds> ttl = {}) const;

    [[nodiscard]] api_reply ask(const api_request& request) const;
    [[nodiscard]] api_reply get(const std::string& target, const std::string& token) const {
        return ask(api_request{"GET", target, token});
    }
    /// Raw bytes there and all that comes back until the end of the connection.
    [[nodiscard]] std::string raw(const std::string& bytes) const;
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] const test_database& db() const { return db_; }
    [[nodiscard]] process& workerd() { return *workerd_; }

   private:
    [[nodiscard]] std::filesystem::path write_config(const std::string& more) const;

    test_database db_;
    temp_dir folder_;
    std::unique_ptr<process> workerd_;
    std::string address_;
};

[[nodiscard]] api_reply parse_reply(const std::string& bytes);

}  // namespace test
