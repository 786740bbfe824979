#include "front_door.hpp"

#include "counted.hpp"
#include "negotiation.hpp"
#include "request_memory.hpp"
#include "rights.hpp"
#include "sha256.hpp"

#include <libqueue/client_transaction.hpp>
#include <libqueue/error.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <utility>

namespace workerd::api {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view api_prefix{"/api/v1"};
constexpr std::chrono::seconds slow{1};
constexpr std::chrono::milliseconds read_time{2'000};
constexpr std::chrono::milliseconds change_time{10'000};
/// What a token that is not good costs an address.
constexpr int bad_token_cost = 10;

bool is_below(std::string_view path, std::string_view prefix) {
    return prefix == "/" || path == prefix ||
           (path.starts_with(prefix) && path[prefix.size()] == '/');
}

std::string_view target_of(const http_request& request) {
    return {request.target().data(), request.target().size()};
}

std::string_view path_of(const http_request& request) {
    const auto target = target_of(request);
    return target.substr(0, target.find('?'));
}

[[noreturn]] void refuse_rate(const rate_verdict& verdict) {
    problem why{429, "rate_limited", "too many requests"};
    why.retry_after = verdict.retry_after;
    throw refused{std::move(why)};
}

std::string entity_tag(const std::string& state) {
    return '"' + sha256_hex(state).substr(0, 32) + '"';
}

[[noreturn]] void refuse_precondition() {
    problem why{412, "precondition", "it has changed since that ETag, or is gone"};
    why.hint = "read it again";
    throw refused{std::move(why)};
}

libqueue::processors::received_call signed_call_of(const http_request& request) {
    libqueue::processors::received_call call{std::string{request.method_string()},
                                             std::string{target_of(request)}, request.body()};
    std::map<std::string, std::string, std::less<>> headers;
    for (const std::string_view name :
         {"x-internal-service", "x-internal-timestamp", "x-internal-nonce", "x-internal-body-hash",
          "x-internal-signature"})
        headers.emplace(name, header(request, name));
    call.header = [headers = std::move(headers)](std::string_view name) {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string{} : found->second;
    };
    return call;
}

}  // namespace

// A request that has found its route.
class front_door::arrival {
   public:
    arrival() = default;
    const route* to = nullptr;
    std::vector<verb> methods;  ///< of the path, for OPTIONS
    bool is_question = false;   ///< OPTIONS
    std::string below;          ///< the path below /api/v1, as it came
    std::string token;
    std::optional<libqueue::processors::received_call> signed_call;
    request_facts facts;
    std::optional<rate_verdict> rate;
};

front_door::front_door(tasks& tasks, logger& log, surroundings& around, front_door_options options)
    : log_{log},
      around_{around},
      who_{std::move(options.jwt)},
      services_{std::move(options.services)},
      router_{all_routes()},
      cors_origins_{std::move(options.cors_origins)},
      user_rates_{options.user_rate},
      token_rates_{options.token_rate},
      address_rates_{options.address_rate},
      events_{tasks, pool_, around_, who_, options.streams},
      pool_{std::move(options.database), options.threads, options.waiting_max} {
    around.send_events_by(&events_);
}

front_door::~front_door() = default;

void front_door::mount(std::string prefix, plain_http_handler handler) {
    mounts_.emplace_back(std::move(prefix), std::move(handler));
    std::ranges::stable_sort(mounts_, [](const auto& left, const auto& right) {
        return left.first.size() > right.first.size();
    });
}

void front_door::stop() {
    events_.stop();
    pool_.stop();
}

http_response front_door::refusal(int status, const std::string& reason) {
    const std::string code = status == 413 || status == 431 || status == 414 ? "too_large"
                             : status == 503                                 ? "unavailable"
                                                                             : "malformed";
    auto head = to_response(to_answer(problem{status, code, reason}, {}));
    add_safe_headers(head, false);
    return head;
}

boost::asio::awaitable<http_answer> front_door::answer(http_exchange exchange) {
    const auto since = std::chrono::steady_clock::now();
    const counted here{in_progress_};
    arrival what;
    what.facts.request_id = request_id_of(exchange.request);
    const auto path = path_of(exchange.request);
    if (is_below(path, "/api")) {
        auto answered = co_await answer_api(exchange, what);
        add_headers(answered.head, exchange, what.facts.request_id);
        note(exchange, what, static_cast<int>(answered.head.result_int()), since);
        co_return answered;
    }
    http_request copy = exchange.request;
    auto answered = co_await answer_mounted(std::move(copy));
    add_headers(answered.head, exchange, what.facts.request_id);
    note(exchange, what, static_cast<int>(answered.head.result_int()), since);
    co_return answered;
}

boost::asio::awaitable<http_answer> front_door::answer_mounted(http_request request) {
    const auto path = path_of(request);
    const auto found =
        std::ranges::find_if(mounts_, [&](const auto& each) { return is_below(path, each.first); });
    if (found == mounts_.end()) {
        const problem missing{404, "not_found", "no such page"};
        co_return http_answer{to_response(to_answer(missing, request_id_of(request)))};
    }
    auto head = co_await found->second(std::move(request));
    co_return http_answer{std::move(head)};
}

boost::asio::awaitable<http_answer> front_door::answer_api(const http_exchange& exchange,
                                                           arrival& what) {
    std::optional<api::answer> answered;
    try {
        arrive(exchange, what);
        if (what.is_question)
            answered = answer_options(exchange.request, what.methods, cors_origins_);
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
    if (what.rate) {
        answered->with("X-RateLimit-Limit", std::to_string(what.rate->limit));
        answered->with("X-RateLimit-Remaining", std::to_string(what.rate->remaining));
        answered->with("X-RateLimit-Reset", std::to_string(what.rate->full_in));
    }
    http_answer made{to_response(*answered)};
    made.pieces = answered->events;
    co_return made;
}

void front_door::arrive(const http_exchange& exchange, arrival& into) {
    const auto& request = exchange.request;
    const auto path = path_of(request);
    into.facts.peer = exchange.peer;
    if (!is_below(path, api_prefix))
        refuse_missing("such route");
    into.below = path.substr(api_prefix.size());
    const auto& below = into.below;
    if (request.method() == http::verb::options) {
        into.is_question = true;
        into.methods = router_.find_any(below).others;
        if (into.methods.empty())
            refuse_missing("such route");
        return;
    }
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
    check_media(request, *into.to);
    into.facts.path = std::move(found.path);
    const auto target = target_of(request);
    if (path.size() < target.size())
        into.facts.query = parse_query(target.substr(path.size() + 1));
    into.facts.body = request.body();
    into.facts.last_event_id = header(request, "Last-Event-ID");
    into.facts.idempotency_key = header(request, "Idempotency-Key");
    into.facts.traceparent = header(request, "traceparent");
    // The one field that may come in several lines.
    const auto states = request.equal_range("tracestate");
    for (auto each = states.first; each != states.second; ++each) {
        into.facts.tracestate += into.facts.tracestate.empty() ? "" : ",";
        into.facts.tracestate += each->value();
    }
    into.facts.if_match = header(request, "If-Match");
    if (const auto token = bearer_token(header(request, "Authorization")))
        into.token = *token;
    else if (services_ && !header(request, "x-internal-service").empty())
        into.signed_call = signed_call_of(request);
}

std::optional<caller> front_door::find(const arrival& what, libqueue::client& database) {
    if (what.signed_call)
        return services_->find(*what.signed_call, what.to->method != verb::get, database);
    return what.token.empty() ? std::nullopt : who_.find(what.token, database);
}

caller front_door::know(arrival& what, libqueue::client& database) {
    // Before the token is looked at: guessing must not cost the database anything for long.
    const auto address = address_rates_.take(what.facts.peer, 0);
    if (!address.allowed)
        refuse_rate(address);
    database.act_as_self();
    const auto known = find(what, database);
    if (!known) {
        const bool tried = !what.token.empty() || what.signed_call;
        address_rates_.charge(what.facts.peer, tried ? bad_token_cost : 1);
        problem why{401, "unauthenticated", "expected a valid token in Authorization: Bearer"};
        why.headers.emplace_back("WWW-Authenticate", "Bearer");
        throw refused{std::move(why)};
    }
    auto& limiter = known->is_user ? user_rates_ : token_rates_;
    // Two tenants may each have a token, or a user, of one name.
    what.rate = limiter.take(known->who.tenant_id.value_or("") + '\n' + known->who.actor);
    if (!what.rate->allowed)
        refuse_rate(*what.rate);
    return *known;
}

answer front_door::serve_known(arrival& what, libqueue::client& database) {
    libqueue::principal who{"anonymous"};
    if (what.to->right.empty()) {
        what.rate = address_rates_.take(what.facts.peer);
        if (!what.rate->allowed)
            refuse_rate(*what.rate);
    } else {
        const auto known = know(what, database);
        who = known.who;
        who.request_id = what.facts.request_id;
        what.facts.expires = known.expires;
        what.facts.token = what.token;
        if (!has_right(who, what.to->right, *around_.operator_rights()))
            refuse(403, "forbidden", "your role has not the right " + std::string{what.to->right});
        const auto at_most = what.to->method == verb::get ? read_time : change_time;
        database.act_as(who, at_most).value();
    }
    const bool has_key = !what.facts.idempotency_key.empty();
    api_call call{*what.to, what.facts, who, database, around_};
    return has_key && what.to->method == verb::post ? run_once(what, call) : run(what, call);
}

answer front_door::run(const arrival& what, api_call& call) {
    const bool matched = what.to->tagged && what.to->method != verb::get;
    auto made =
        matched && !what.facts.if_match.empty() ? edit_matched(what, call) : what.to->run(call);
    if (made.tag)
        made.with("ETag", entity_tag(*made.tag));
    return made;
}

// The edit first: it locks the row, and until it is committed another connection sees what it
// replaces. So nobody comes between, be it another workerd, qctl or SQL.
answer front_door::edit_matched(const arrival& what, api_call& call) {
    const std::lock_guard one_at_a_time{edits_};
    // Most that will be refused are refused here, without having locked anything.
    if (!matches(what, call, call.database()))
        refuse_precondition();
    libqueue::client_transaction work{call.database()};
    std::optional<api::answer> made;
    try {
        made = what.to->run(call);
    } catch (const refused& why) {
        if (what.to->method == verb::remove && why.why().status == 404)
            refuse_precondition();
        throw;
    }
    bool still = false;
    pool_.lend([&](libqueue::client& other) {
        other.act_as(call.who(), read_time).value();
        still = matches(what, call, other);
    });
    if (!still)
        refuse_precondition();
    work.commit();
    return std::move(*made);
}

bool front_door::matches(const arrival& what, const api_call& call,
                         libqueue::client& database) const {
    const auto* shown = router_.find(verb::get, what.below).found;
    if (shown == nullptr)
        return true;
    auto facts = what.facts;
    facts.body.clear();
    std::optional<std::string> tag;
    try {
        api_call look{*shown, facts, call.who(), database, around_};
        const auto seen = shown->run(look);
        tag = seen.tag ? std::optional{entity_tag(*seen.tag)} : std::nullopt;
    } catch (const libqueue::domain_failure&) {
        // There is none, which no tag matches.
    } catch (const refused&) {
        // Likewise.
    }
    return tag && (what.facts.if_match == "*" || what.facts.if_match == *tag);
}

// The key is taken and kept as the connection's own role: answers of all tenants lie in one table,
// which nobody's principal sees.
answer front_door::run_once(const arrival& what, api_call& call) {
    auto& database = call.database();
    if (!is_request_key(what.facts.idempotency_key))
        refuse_value("header.Idempotency-Key", "1 to 128 visible ASCII characters", "another text");
    if (what.to->secret)
        refuse_value("header.Idempotency-Key", "none: the answer holds a secret and is not kept",
                     "one");
    std::string request{to_string(what.to->method)};
    request += ' ' + what.below;
    for (const auto& [name, value] : what.facts.query)
        request += '\n' + name + '=' + value;
    request += '\n' + what.facts.body;
    database.act_as_self();
    request_memory memory{database, call.who(), what.facts.idempotency_key, request};
    if (auto before = memory.take())
        return std::move(*before);
    std::optional<api::answer> made;
    try {
        database.act_as(call.who(), change_time).value();
        made = run(what, call);
    } catch (const libqueue::failure& why) {
        database.act_as_self();
        // What may have happened stays taken.
        if (!why.outcome_unknown() && !call.has_changed())
            memory.give_back();
        throw;
    } catch (const std::exception&) {
        // A request that was refused has done nothing and may come again, put right. One whose
        // change is made and whose answer could not be read stays taken, too.
        database.act_as_self();
        if (!call.has_changed())
            memory.give_back();
        throw;
    }
    database.act_as_self();
    memory.keep(*made);
    return std::move(*made);
}

answer front_door::serve(arrival& what, libqueue::client& database) {
    const auto& id = what.facts.request_id;
    try {
        return serve_known(what, database);
    } catch (const refused& why) {
        return to_answer(why.why(), id);
    } catch (const libqueue::domain_failure& why) {
        return to_answer(problem_of(why.why()), id);
    } catch (const libqueue::failure& why) {
        log_.warn("request_failed", "the database did not answer a request",
                  {{"route", what.to->path}, {"request_id", id}, {"err.code", why.sqlstate()}});
        return to_answer(problem_of(why), id);
    } catch (const std::exception& why) {
        log_.error("request_failed", "a request failed for a reason of our own",
                   {{"route", what.to->path}, {"request_id", id}, {"err.msg", why.what()}});
        return to_answer(problem{500, "internal", "an error of ours; the log has it"}, id);
    }
}

void front_door::add_headers(http_response& head, const http_exchange& exchange,
                             const std::string& request_id) const {
    head.set("X-Request-Id", request_id);
    add_safe_headers(head, exchange.secure);
    add_cors_headers(head, exchange.request, cors_origins_);
}

void front_door::note(const http_exchange& exchange, const arrival& what, int status,
                      std::chrono::steady_clock::time_point since) const {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - since);
    const std::string_view method = method_name(exchange.request.method());
    const auto pattern = what.to != nullptr ? what.to->path : std::string_view{};
    // The pattern and not the path: names of queues and keys may say something about people.
    if (took > slow || log_.enabled(log_level::debug))
        log_.log(took > slow ? log_level::warn : log_level::debug,
                 took > slow ? "request_slow" : "request", "answered a request",
                 {{"method", method},
                  {"route", pattern},
                  {"status", status},
                  {"took_ms", took.count() / 1000},
                  {"request_id", what.facts.request_id}});
    if (observer_)
        observer_(request_record{method, pattern, status, took});
}

}  // namespace workerd::api
