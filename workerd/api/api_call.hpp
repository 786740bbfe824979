#pragma once

#include "answer.hpp"
#include "problem.hpp"
#include "route.hpp"

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace workerd::api {

class surroundings;

/// What the front door knows of a request before it has a database.
class request_facts {
   public:
    request_facts() = default;
    std::map<std::string, std::string, std::less<>> path;   ///< decoded
    std::map<std::string, std::string, std::less<>> query;  ///< decoded, each name once
    std::string body;
    std::string request_id;
    std::string idempotency_key;
    std::string if_match;
    std::string last_event_id;
    std::string traceparent;
    std::string tracestate;
    std::string peer;                             ///< the client's address
    std::string token;                            ///< as it came; for whoever looks at it again
    std::optional<libqueue::time_point> expires;  ///< of the token
};

/// One request on its way through a handler: who asks, what for, and a database connection that
/// acts for them already. Lives on one thread of the API's pool. Getters refuse (400) values of the
/// wrong form and name the place; which values there are stands in the route's table, and the front
/// door has checked against it before.
class api_call {
   public:
    api_call(const route& to, const request_facts& facts, const libqueue::principal& who,
             libqueue::client& database, const surroundings& around);
    api_call(const api_call&) = delete;
    api_call& operator=(const api_call&) = delete;

    [[nodiscard]] const libqueue::principal& who() const noexcept { return who_; }
    /// Sees the principal's rows only, and every change it makes is audited in their name.
    [[nodiscard]] libqueue::client& database() const noexcept { return database_; }
    [[nodiscard]] const surroundings& around() const noexcept { return around_; }
    [[nodiscard]] const request_facts& facts() const noexcept { return facts_; }

    /// The change is made and committed, but the answer has yet to be read from the database: when
    /// that fails, the request must not be carried out again for its Idempotency-Key. For changes
    /// that are not the same when they are made twice.
    void note_change() noexcept { changed_ = true; }
    [[nodiscard]] bool has_changed() const noexcept { return changed_; }

    /// Of the path: `name("name")`, `id()` of `{id}`.
    [[nodiscard]] const std::string& name(std::string_view parameter = "name") const;
    [[nodiscard]] std::int64_t id(std::string_view parameter = "id") const;

    /// Of the query.
    [[nodiscard]] std::optional<std::string> text(std::string_view parameter) const;
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view parameter) const;
    [[nodiscard]] bool flag(std::string_view parameter) const;
    [[nodiscard]] std::optional<libqueue::time_point> time(std::string_view parameter) const;
    /// The tenant a request is about: the principal's own, which nothing can change, or for one
    /// without tenant the parameter (or member) `tenant_id`.
    [[nodiscard]] std::optional<std::string> tenant() const;
    /// 1 to 500, 50 unless given.
    [[nodiscard]] int limit() const;
    /// What reply_list() was given as `next`.
    [[nodiscard]] std::optional<std::string> cursor() const;
    [[nodiscard]] std::optional<std::int64_t> cursor_id() const;

    /// Of the body. `null` counts as absent.
    [[nodiscard]] const boost::json::object& body() const noexcept { return body_; }
    [[nodiscard]] bool has(std::string_view member) const;
    [[nodiscard]] std::optional<std::string> member_text(std::string_view member) const;
    [[nodiscard]] std::optional<std::int64_t> member_integer(std::string_view member) const;
    [[nodiscard]] std::optional<double> member_number(std::string_view member) const;
    [[nodiscard]] std::optional<bool> member_flag(std::string_view member) const;
    [[nodiscard]] std::optional<libqueue::time_point> member_time(std::string_view member) const;
    [[nodiscard]] std::optional<std::vector<std::string>> member_texts(
        std::string_view member) const;
    /// The JSON text of a member exactly as it came: for payloads, whose numbers must not change.
    [[nodiscard]] std::optional<std::string> member_json(std::string_view member) const;

   private:
    const libqueue::principal& who_;
    libqueue::client& database_;
    const surroundings& around_;
    const request_facts& facts_;
    bool changed_ = false;
    boost::json::object body_;
    std::map<std::string, std::string_view, std::less<>> raw_;  ///< members as they came
};

}  // namespace workerd::api
