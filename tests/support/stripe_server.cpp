#include "stripe_server.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <deque>

namespace test {

namespace json = boost::json;

namespace {

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%') {
            unsigned value = 0;
            const auto digits = text.substr(i + 1, 2);
            const auto [end, failed] =
                std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
            if (failed != std::errc{} || digits.size() != 2 || end != digits.data() + 2) {
                return std::nullopt;
            }
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::int64_t number_of(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

http_reply error_reply(int status, const std::string& type, const std::string& code,
                       json::object more = {}) {
    more["type"] = type;
    if (!code.empty()) {
        more["code"] = code;
    }
    more["message"] = "Amount of $12.34 for jane.doe@example.com";  // must be shown to nobody
    json::object body;
    body["error"] = std::move(more);
    http_reply reply{status, json::serialize(body)};
    reply.headers.emplace_back("request-id", "req_test");
    return reply;
}

}  // namespace

std::optional<form> form::parse(std::string_view text) {
    form made;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto field = text.substr(0, end);
        const auto equals = field.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        const auto name = decoded(field.substr(0, equals));
        const auto value = decoded(field.substr(equals + 1));
        if (!name || !value || made.has(*name)) {
            return std::nullopt;
        }
        made.fields_.emplace_back(*name, *value);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return made;
}

std::string form::get(std::string_view name) const {
    for (const auto& [key, value] : fields_) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

bool form::has(std::string_view name) const {
    return std::any_of(fields_.begin(), fields_.end(),
                       [name](const auto& field) { return field.first == name; });
}

std::map<std::string, std::string> form::nested(std::string_view outer) const {
    std::map<std::string, std::string> out;
    const std::string prefix = std::string{outer} + "[";
    for (const auto& [key, value] : fields_) {
        if (key.starts_with(prefix) && key.ends_with(']')) {
            out[key.substr(prefix.size(), key.size() - prefix.size() - 1)] = value;
        }
    }
    return out;
}

class stripe_server::books {
   public:
    class intent {
       public:
        std::string id;
        std::int64_t amount{0};
        std::int64_t received{0};
        std::int64_t refunded{0};
        std::string currency;
        std::string status;
        std::string customer;
        std::string decline;
        std::string action_url;
        bool manual{false};
        std::map<std::string, std::string> metadata;
        std::int64_t created{0};
        int refunds{0};
    };
    class refund {
       public:
        std::string id;
        std::string intent;
        std::int64_t amount{0};
        std::map<std::string, std::string> metadata;
    };
    class saved {
       public:
        std::string request;
        http_reply reply;
        std::int64_t at{0};
    };

    http_reply answer(const http_request& request) {
        const std::lock_guard lock{mutex};
        if (!request.header("authorization").starts_with("Bearer rk_test_secret") ||
            request.header("stripe-version") != "2026-09-30.endive") {
            complaints.push_back(request.method + " " + request.target + ": no key or version");
            return error_reply(401, "invalid_request_error", "");
        }
        if (request.method == "GET") {
            return read(request);
        }
        mutations.push_back(request);
        if (forced) {
            auto reply = std::move(*forced);
            forced.reset();
            return reply;
        }
        return change(request, next_fault(request));
    }

    std::int64_t now() const {
        return std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch() + offset)
            .count();
    }

    std::vector<const intent*> intents_of(const std::string& order_id) const {
        std::vector<const intent*> out;
        if (order_id.empty()) {
            for (const auto& one : intents) {
                out.push_back(&one);
            }
        } else if (const auto found = by_order.find(order_id); found != by_order.end()) {
            for (const auto index : found->second) {
                out.push_back(&intents[index]);
            }
        }
        return out;
    }

    void add(intent made) {
        made.id = "pi_" + std::to_string(intents.size() + 1);
        made.created = now();
        if (const auto order = made.metadata.find("order_id"); order != made.metadata.end()) {
            by_order[order->second].push_back(intents.size());
        }
        intents.push_back(std::move(made));
    }

    /// Ids are numbered from 1.
    intent* find(const std::string& id) {
        const auto number = id.starts_with("pi_") ? number_of(id.substr(3)) : 0;
        const auto index = static_cast<std::size_t>(number);
        return number < 1 || index > intents.size() ? nullptr : &intents[index - 1];
    }

    std::mutex mutex;
    std::vector<intent> intents;
    std::map<std::string, std::vector<std::size_t>> by_order;
    std::vector<refund> refunds;
    std::map<std::string, saved> keys;
    std::vector<http_request> mutations;
    std::vector<std::string> complaints;
    std::function<fault(const http_request&)> choose;
    std::deque<fault> next;
    fault always{fault::none};
    fault of_reads{fault::none};
    std::optional<http_reply> forced;
    std::chrono::milliseconds slow_for{3'000};
    std::chrono::hours offset{0};

   private:
    fault next_fault(const http_request& request) {
        if (!next.empty()) {
            const auto first = next.front();
            next.pop_front();
            return first;
        }
        return choose ? choose(request) : always;
    }

    /// Of faults that come before anything is done.
    std::optional<http_reply> turned_away(fault which) const {
        switch (which) {
            case fault::down:
                return error_reply(503, "api_error", "");
            case fault::slow: {
                auto reply = error_reply(503, "api_error", "");
                reply.delay = slow_for;
                return reply;
            }
            case fault::busy:
                return error_reply(429, "invalid_request_error", "lock_timeout");
            case fault::forbidden:
                return error_reply(401, "invalid_request_error", "");
            default:
                return std::nullopt;
        }
    }

    http_reply change(const http_request& request, fault which) {
        if (auto away = turned_away(which)) {
            return std::move(*away);
        }
        const auto key = request.header("idempotency-key");
        if (key.empty() || key.size() > 255) {
            complaints.push_back(request.target + ": no idempotency key");
        }
        const auto text = request.method + " " + request.target + "\n" + request.body;
        if (const auto known = keys.find(key);
            known != keys.end() && now() - known->second.at < 24 * 3600) {
            if (known->second.request != text) {
                return error_reply(400, "idempotency_error", "");
            }
            auto reply = known->second.reply;
            reply.headers.emplace_back("idempotent-replayed", "true");
            reply.drop = which == fault::lost_reply;
            return reply;
        }
        const auto fields = form::parse(request.body);
        if (!fields) {
            complaints.push_back(request.target + ": not a form");
            return error_reply(400, "invalid_request_error", "parameter_invalid");
        }
        auto reply = which == fault::saved_500 ? error_reply(500, "api_error", "")
                                               : act(request.target, *fields);
        if (which == fault::acted_500) {
            reply = error_reply(500, "api_error", "");
        }
        if (reply.status != 400) {  // refused parameters are not saved
            saved kept;
            kept.request = text;
            kept.reply = reply;
            kept.at = now();
            keys[key] = std::move(kept);
        }
        reply.drop = which == fault::lost_reply;
        return reply;
    }

    http_reply act(const std::string& target, const form& fields) {
        constexpr std::string_view intents_path = "/v1/payment_intents";
        if (target == intents_path) {
            return create(fields);
        }
        if (target == "/v1/refunds") {
            return give_back(fields);
        }
        const auto rest = target.substr(std::min(target.size(), intents_path.size() + 1));
        const auto slash = rest.find('/');
        auto* const one = find(rest.substr(0, slash));
        if (one == nullptr || slash == std::string::npos) {
            return error_reply(404, "invalid_request_error", "resource_missing");
        }
        const auto verb = rest.substr(slash + 1);
        if (verb == "confirm") {
            if (one->status != "requires_payment_method" &&
                one->status != "requires_confirmation" && one->status != "requires_action") {
                return unexpected_state(*one);
            }
            return charge(*one, fields.get("payment_method"));
        }
        if (verb == "capture") {
            if (one->status != "requires_capture") {
                return unexpected_state(*one);
            }
            one->received = fields.has("amount_to_capture")
                                ? number_of(fields.get("amount_to_capture"))
                                : one->amount;
            one->status = "succeeded";
            return http_reply{200, json::serialize(show(*one))};
        }
        if (one->status == "succeeded" || one->status == "canceled") {
            return unexpected_state(*one);
        }
        one->status = "canceled";
        return http_reply{200, json::serialize(show(*one))};
    }

    http_reply unexpected_state(const intent& one) const {
        json::object more;
        more["payment_intent"] = show(one);
        return error_reply(400, "invalid_request_error", "payment_intent_unexpected_state",
                           std::move(more));
    }

    http_reply create(const form& fields) {
        if (number_of(fields.get("amount")) <= 0 || fields.get("currency").size() != 3) {
            return error_reply(400, "invalid_request_error", "parameter_missing");
        }
        intent made;
        made.amount = number_of(fields.get("amount"));
        made.currency = fields.get("currency");
        made.customer = fields.get("customer");
        made.manual = fields.get("capture_method") == "manual";
        made.metadata = fields.nested("metadata");
        made.status = "requires_payment_method";
        add(std::move(made));
        if (fields.get("confirm") != "true") {
            return http_reply{200, json::serialize(show(intents.back()))};
        }
        return charge(intents.back(), fields.get("payment_method"));
    }

    http_reply charge(intent& one, const std::string& method) {
        one.decline.clear();
        if (method == "pm_declined") {
            one.status = "requires_payment_method";
            one.decline = "insufficient_funds";
            json::object more;
            more["decline_code"] = one.decline;
            more["payment_intent"] = show(one);
            return error_reply(402, "card_error", "card_declined", std::move(more));
        }
        if (method == "pm_3ds") {
            one.status = "requires_action";
            one.action_url = "https://hooks.example/3ds/" + one.id;
        } else if (method == "pm_bank") {
            one.status = "processing";
        } else {
            settle(one);
        }
        return http_reply{200, json::serialize(show(one))};
    }

   public:
    static void settle(intent& one) {
        one.status = one.manual ? "requires_capture" : "succeeded";
        one.received = one.manual ? 0 : one.amount;
    }

   private:
    http_reply give_back(const form& fields) {
        auto* const one = find(fields.get("payment_intent"));
        if (one == nullptr) {
            return error_reply(404, "invalid_request_error", "resource_missing");
        }
        const auto left = one->received - one->refunded;
        const auto amount = fields.has("amount") ? number_of(fields.get("amount")) : left;
        if (left <= 0) {
            return error_reply(400, "invalid_request_error", "charge_already_refunded");
        }
        if (amount <= 0 || amount > left) {
            return error_reply(400, "invalid_request_error", "amount_too_large");
        }
        one->refunded += amount;
        ++one->refunds;
        refund made;
        made.id = "re_" + std::to_string(refunds.size() + 1);
        made.intent = one->id;
        made.amount = amount;
        made.metadata = fields.nested("metadata");
        refunds.push_back(made);
        return http_reply{200, json::serialize(show(made))};
    }

    static json::object show(const refund& one) {
        json::object out;
        out["id"] = one.id;
        out["object"] = "refund";
        out["payment_intent"] = one.intent;
        out["amount"] = one.amount;
        out["status"] = "succeeded";
        auto& metadata = (out["metadata"] = json::object{}).get_object();
        for (const auto& [name, value] : one.metadata) {
            metadata[name] = value;
        }
        return out;
    }

    static json::object show(const intent& one) {
        json::object out;
        out["id"] = one.id;
        out["object"] = "payment_intent";
        out["amount"] = one.amount;
        out["amount_received"] = one.received;
        out["currency"] = one.currency;
        out["status"] = one.status;
        out["created"] = one.created;
        out["client_secret"] = one.id + "_secret_x";
        auto& metadata = (out["metadata"] = json::object{}).get_object();
        for (const auto& [name, value] : one.metadata) {
            metadata[name] = value;
        }
        if (!one.decline.empty()) {
            auto& error = (out["last_payment_error"] = json::object{}).get_object();
            error["type"] = "card_error";
            error["code"] = "card_declined";
            error["decline_code"] = one.decline;
        }
        if (one.status == "requires_action") {
            auto& action = (out["next_action"] = json::object{}).get_object();
            action["type"] = "redirect_to_url";
            (action["redirect_to_url"] = json::object{}).get_object()["url"] = one.action_url;
        }
        auto& charge = (out["latest_charge"] = json::object{}).get_object();
        charge["amount_refunded"] = one.refunded;
        return out;
    }

    http_reply read(const http_request& request) {
        if (of_reads == fault::lost_reply) {
            http_reply lost;
            lost.drop = true;
            return lost;
        }
        if (auto away = turned_away(of_reads)) {
            return std::move(*away);
        }
        const auto question = request.target.find('?');
        const auto path = request.target.substr(0, question);
        const auto query = form::parse(question == std::string::npos
                                           ? std::string_view{}
                                           : std::string_view{request.target}.substr(question + 1));
        if (!query) {
            complaints.push_back(request.target + ": not a query");
            return error_reply(400, "invalid_request_error", "parameter_invalid");
        }
        if (path == "/v1/payment_intents" || path == "/v1/payment_intents/search") {
            return list_intents(*query, path.ends_with("/search"));
        }
        if (path == "/v1/refunds") {
            return list_refunds(*query);
        }
        const auto* const one = find(path.substr(path.rfind('/') + 1));
        return one == nullptr ? error_reply(404, "invalid_request_error", "resource_missing")
                              : http_reply{200, json::serialize(show(*one))};
    }

    static http_reply list_reply(json::array data, bool more) {
        json::object out;
        out["object"] = "list";
        out["data"] = std::move(data);
        out["has_more"] = more;
        return http_reply{200, json::serialize(out)};
    }

    /// Newest first. A search is a minute behind, as the real one may be.
    http_reply list_intents(const form& query, bool search) {
        json::array data;
        bool past = !query.has("starting_after");
        const auto since = number_of(query.get("created[gte]"));
        for (auto one = intents.rbegin(); one != intents.rend(); ++one) {
            if (data.size() >= 100) {
                return list_reply(std::move(data), true);
            }
            const auto mark = one->metadata.find("libqueue_job");
            const auto wanted = "metadata['libqueue_job']:'" +
                                (mark == one->metadata.end() ? "" : mark->second) + "'";
            const bool fits =
                search ? query.get("query") == wanted && one->created + 60 < now()
                       : one->created >= since &&
                             (!query.has("customer") || query.get("customer") == one->customer);
            if (past && fits) {
                data.push_back(show(*one));
            }
            past = past || one->id == query.get("starting_after");
        }
        return list_reply(std::move(data), false);
    }

    http_reply list_refunds(const form& query) {
        json::array data;
        bool past = !query.has("starting_after");
        for (auto one = refunds.rbegin(); one != refunds.rend(); ++one) {
            if (data.size() >= 100) {
                return list_reply(std::move(data), true);
            }
            if (past && one->intent == query.get("payment_intent")) {
                data.push_back(show(*one));
            }
            past = past || one->id == query.get("starting_after");
        }
        return list_reply(std::move(data), false);
    }
};

stripe_server::stripe_server() : books_{std::make_unique<books>()} {
    receiver_.reply_with([this](const http_request& request) { return books_->answer(request); });
}

stripe_server::~stripe_server() = default;

std::string stripe_server::url() const {
    return "http://127.0.0.1:" + std::to_string(receiver_.port());
}

void stripe_server::choose_fault(std::function<fault(const http_request&)> choose) {
    const std::lock_guard lock{books_->mutex};
    books_->choose = std::move(choose);
}

void stripe_server::fail_always(fault which) {
    const std::lock_guard lock{books_->mutex};
    books_->choose = nullptr;
    books_->always = which;
}

void stripe_server::fail_next(fault which, int count) {
    const std::lock_guard lock{books_->mutex};
    books_->next.insert(books_->next.end(), static_cast<std::size_t>(count), which);
}

void stripe_server::end_faults() {
    const std::lock_guard lock{books_->mutex};
    books_->choose = nullptr;
    books_->next.clear();
    books_->always = fault::none;
    books_->of_reads = fault::none;
}

void stripe_server::fail_reads(fault which) {
    const std::lock_guard lock{books_->mutex};
    books_->of_reads = which;
}

void stripe_server::set_slow(std::chrono::milliseconds time) {
    const std::lock_guard lock{books_->mutex};
    books_->slow_for = time;
}

void stripe_server::answer_next(http_reply reply) {
    const std::lock_guard lock{books_->mutex};
    books_->forced = std::move(reply);
}

void stripe_server::advance(std::chrono::hours time) {
    const std::lock_guard lock{books_->mutex};
    books_->offset += time;
}

void stripe_server::move_intent(const std::string& id, const std::string& status) {
    const std::lock_guard lock{books_->mutex};
    auto* const one = books_->find(id);
    if (status == "succeeded") {
        books::settle(*one);
    } else {
        one->status = status;
        one->decline = status == "requires_payment_method" ? "authentication_failed" : "";
    }
}

std::string stripe_server::add_intent(std::int64_t amount, const std::string& currency,
                                      const std::map<std::string, std::string>& metadata) {
    const std::lock_guard lock{books_->mutex};
    books::intent made;
    made.amount = amount;
    made.currency = currency;
    made.metadata = metadata;
    books::settle(made);
    books_->add(std::move(made));
    return books_->intents.back().id;
}

int stripe_server::charges(const std::string& order_id) const {
    const std::lock_guard lock{books_->mutex};
    const auto all = books_->intents_of(order_id);
    return static_cast<int>(std::count_if(all.begin(), all.end(), [](const books::intent* one) {
        return one->status == "succeeded" || one->status == "requires_capture";
    }));
}

int stripe_server::charges() const {
    return charges(std::string{});
}

std::int64_t stripe_server::refunded(const std::string& order_id) const {
    const std::lock_guard lock{books_->mutex};
    std::int64_t sum = 0;
    for (const auto* one : books_->intents_of(order_id)) {
        sum += one->refunded;
    }
    return sum;
}

std::int64_t stripe_server::captured(const std::string& order_id) const {
    const std::lock_guard lock{books_->mutex};
    std::int64_t sum = 0;
    for (const auto* one : books_->intents_of(order_id)) {
        sum += one->received;
    }
    return sum;
}

int stripe_server::refunds(const std::string& order_id) const {
    const std::lock_guard lock{books_->mutex};
    int count = 0;
    for (const auto* one : books_->intents_of(order_id)) {
        count += one->refunds;
    }
    return count;
}

int stripe_server::refunds() const {
    const std::lock_guard lock{books_->mutex};
    return static_cast<int>(books_->refunds.size());
}

std::string stripe_server::intent_of(const std::string& order_id) const {
    const std::lock_guard lock{books_->mutex};
    const auto all = books_->intents_of(order_id);
    return all.empty() ? std::string{} : all.back()->id;
}

std::vector<http_request> stripe_server::mutations() const {
    const std::lock_guard lock{books_->mutex};
    return books_->mutations;
}

std::vector<std::string> stripe_server::complaints() const {
    const std::lock_guard lock{books_->mutex};
    return books_->complaints;
}

}  // namespace test
