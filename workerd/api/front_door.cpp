#include "front_door.hpp"

#include "rights.hpp"

#include <libqueue/error.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace workerd::api {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view api_prefix{"/api/v1"};

std::string_view as_view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

std::optional<verb> verb_of(http::verb method) {
    switch (method) {
        case http::verb::get:
        case http::verb::head:
            return verb::get;
        case http::verb::post:
            return verb::post;
        case http::verb::put:
            return verb::put;
        case http::verb::delete_:
            return verb::remove;
        default:
            return std::nullopt;
    }
}

http_response to_response(const answer& from) {
    http_response response{static_cast<http::status>(from.status), 11};
    if (from.status != 204)
        response.set(http::field::content_type, from.content_type);
    response.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : from.headers)
        response.set(name, value);
    response.body() = from.body;
    response.prepare_payload();
    return response;
}

answer to_answer(const problem& why, const std::string& request_id) {
    answer made{why.status, problem_text(why, request_id), "application/problem+json"};
    if (why.retry_after)
        made.with("Retry-After", std::to_string(*why.retry_after));
    for (const auto& [name, value] : why.headers)
        made.with(name, value);
    return made;
}

bool is_below(std::string_view path, std::string_view prefix) {
    return prefix == "/" || path == prefix ||
           (path.starts_with(prefix) && path[prefix.size()] == '/');
}

}  // namespace

// A request that has found its route.
class front_door::arrival {
   public:
    arrival() = default;
    const route* to = nullptr;
    std::string token;
    request_facts facts;
};

front_door::front_door(logger& log, const surroundings& around, front_door_options options)
    : log_{log},
      around_{around},
      tokens_{std::move(options.tokens)},
      router_{all_routes()},
      pool_{std::move(options.database), options.threads, options.waiting_max} {}

void front_door::mount(std::string prefix,
                       std::function<boost::asio::awaitable<http_response>(http_request)> handler) {
    mounts_.emplace_back(std::move(prefix), std::move(handler));
    std::ranges::stable_sort(mounts_, [](const auto& left, const auto& right) {
        return left.first.size() > right.first.size();
    });
}

void front_door::stop() {
    pool_.stop();
}

boost::asio::awaitable<http_response> front_door::answer(http_request request) {
    const auto target = as_view(request.target());
    const auto path = target.substr(0, target.find('?'));
    if (is_below(path, "/api")) {
        auto answered = co_await answer_api(std::move(request));
        co_return answered;
    }
    for (const auto& [prefix, handler] : mounts_) {
        if (is_below(path, prefix)) {
            auto answered = co_await handler(std::move(request));
            co_return answered;
        }
    }
    const problem missing{404, "not_found", "no such page"};
    co_return to_response(to_answer(missing, {}));
}

boost::asio::awaitable<http_response> front_door::answer_api(http_request request) {
    arrival what;
    std::optional<api::answer> answered;
    try {
        arrive(request, what);
    } catch (const refused& why) {
        answered = to_answer(why.why(), what.facts.request_id);
    }
    if (!answered) {
        call_pool::work work = [this, &what, &answered](libqueue::client& database) {
            answered = serve(what, database);
        };
        const bool ran = co_await pool_.run(std::move(work));
        if (!ran) {
            problem busy{503, "unavailable", "too many requests wait already"};
            busy.retry_after = 1;
            answered = to_answer(busy, what.facts.request_id);
        }
    }
    co_return to_response(*answered);
}

void front_door::arrive(const http_request& request, arrival& into) const {
    const auto target = as_view(request.target());
    const auto path = target.substr(0, target.find('?'));
    if (!is_below(path, api_prefix))
        refuse_missing("such route");
    const auto below = path.substr(api_prefix.size());
    const auto method = verb_of(request.method());
    auto found = method ? router_.find(*method, below) : router_.find_any(below);
    if (found.found == nullptr && found.others.empty())
        refuse_missing("such route");
    if (found.found == nullptr) {
        std::string allowed;
        for (const auto other : found.others)
            allowed += (allowed.empty() ? "" : ", ") + std::string{to_string(other)};
        problem why{405, "method_not_allowed", "this path has " + allowed};
        why.headers.emplace_back("Allow", allowed);
        throw refused{std::move(why)};
    }
    into.to = found.found;
    into.facts.path = std::move(found.path);
    if (path.size() < target.size())
        into.facts.query = parse_query(target.substr(path.size() + 1));
    into.facts.body = request.body();
    into.facts.last_event_id = as_view(request["Last-Event-ID"]);
    into.facts.idempotency_key = as_view(request["Idempotency-Key"]);
    into.facts.traceparent = as_view(request["traceparent"]);
    into.facts.if_match = as_view(request[http::field::if_match]);
    if (const auto token = bearer_token(as_view(request[http::field::authorization])))
        into.token = *token;
}

answer front_door::serve(const arrival& what, libqueue::client& database) const {
    const auto& id = what.facts.request_id;
    try {
        libqueue::principal who{"anonymous"};
        auto facts = what.facts;
        if (!what.to->right.empty()) {
            const auto known = what.token.empty() ? std::nullopt : tokens_(what.token, database);
            if (!known) {
                problem why{401, "unauthenticated", "expected a valid token in Authorization"};
                why.headers.emplace_back("WWW-Authenticate", "Bearer");
                throw refused{std::move(why)};
            }
            who = known->who;
            facts.expires = known->expires;
            if (!has_right(who.role, what.to->right, *around_.operator_rights()))
                refuse(403, "forbidden",
                       "your role has not the right " + std::string{what.to->right});
        }
        api_call call{*what.to, facts, who, database, around_};
        return what.to->run(call);
    } catch (const refused& why) {
        return to_answer(why.why(), id);
    } catch (const libqueue::domain_failure& why) {
        return to_answer(problem_of(why.why()), id);
    } catch (const libqueue::failure& why) {
        log_.warn("request_failed", "the database did not answer a request",
                  {{"route", what.to->path}, {"err.code", why.sqlstate()}});
        return to_answer(problem_of(why), id);
    } catch (const std::exception& why) {
        log_.error("request_failed", "a request failed for a reason of our own",
                   {{"route", what.to->path}, {"err.msg", why.what()}});
        return to_answer(problem{500, "internal", "an error of ours; the log has it"}, id);
    }
}

}  // namespace workerd::api
