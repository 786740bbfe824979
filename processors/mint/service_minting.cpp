#include "processors/mint/service_minting.hpp"

#include "processors/mint/result.hpp"
#include "processors/support/crypto.hpp"
#include "processors/support/http_client.hpp"
#include "processors/support/payload.hpp"

#include <boost/json.hpp>

#include <utility>

namespace libqueue::processors::mint {

namespace {

namespace json = boost::json;
using boost::asio::awaitable;
using clock = std::chrono::steady_clock;

constexpr std::string_view mint_path = "/api/v1/internal/mint";

std::string member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(json::string_view{name.data(), name.size()});
    return value != nullptr && value->is_string()
               ? std::string{value->get_string().data(), value->get_string().size()}
               : std::string{};
}

/// What may stand in a path as it is; the rest as %XX.
std::string path_segment(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(digits[byte >> 4U]);
            out.push_back(digits[byte & 15U]);
        }
    }
    return out;
}

service_word word_of(const std::string& status) {
    if (status == "completed" || status == "minted" || status == "confirmed") {
        return service_word::minted;
    }
    if (status == "pending" || status == "processing" || status == "queued") {
        return service_word::under_way;
    }
    return status == "failed" ? service_word::failed : service_word::unknown;
}

service_answer of_body(const http_response& response) {
    service_answer answer;
    json::error_code failed;
    const auto parsed = json::parse(response.body, failed);
    const auto* object = failed ? nullptr : parsed.if_object();
    answer.word = object == nullptr ? service_word::unknown : word_of(member(*object, "status"));
    answer.text = "the minting service says nothing that is understood";
    if (answer.word == service_word::minted) {
        const auto address = member(*object, "address");
        const auto signature = member(*object, "signature");
        answer.output = R"({"address":)" + (address.empty() ? "null" : json_string(address)) +
                        R"(,"signature":)" + (signature.empty() ? "null" : json_string(signature)) +
                        "}";
        answer.text = "minted";
    } else if (answer.word == service_word::under_way) {
        answer.text = "the minting service is at it";
    } else if (answer.word == service_word::failed) {
        answer.text = "the minting service says that it failed";
    }
    return answer;
}

}  // namespace

service_answer read_service_answer(const http_response& response) {
    if (response.end == http_end::answered && response.status >= 200 && response.status < 300) {
        return of_body(response);
    }
    service_answer answer;
    if (response.end != http_end::answered) {
        answer.text = response.end == http_end::timed_out
                          ? "the minting service did not answer in time"
                          : "the minting service did not answer: " + response.error;
        return answer;
    }
    answer.text = "the minting service answered " + std::to_string(response.status);
    switch (response.status) {
        case 404:
            answer.word = service_word::unheard;
            break;
        case 409:  // it has the ticket already: its status says how far it is
            answer.word = service_word::under_way;
            break;
        case 400:
        case 410:
        case 413:
        case 422:
            answer.word = service_word::refused;
            break;
        default:
            break;
    }
    return answer;
}

service_minting::service_minting(const options& with, job_context& context)
    : with_{with},
      context_{context},
      view_{context},
      ledger_{context, with.poll_interval},
      leave_at_{clock::now() + with.confirm_wait} {
    view_.executor = context.executor();
}

awaitable<outcome> service_minting::run() {
    auto early = co_await open();
    if (early) {
        co_return std::move(*early);
    }
    bool posted = false;
    for (;;) {
        std::string path{mint_path};
        path += "/" + path_segment(payload_.ticket) + "/status";
        std::string nothing;
        auto answer = co_await ask("GET", std::move(path), std::move(nothing));
        if (answer.word == service_word::minted) {
            auto done = co_await finish(std::move(answer.output));
            co_return done;
        }
        if (answer.word == service_word::unknown || answer.word == service_word::refused) {
            co_return leave(answer.text);
        }
        const bool idle =
            answer.word == service_word::unheard || answer.word == service_word::failed;
        if (idle && posted) {
            co_return leave(answer.text);
        }
        if (idle) {
            auto over = co_await post();
            if (over) {
                co_return std::move(*over);
            }
            posted = true;
            continue;
        }
        const auto now = clock::now();
        const bool late = now >= leave_at_ || now + with_.poll_interval >= view_.deadline;
        bool whole = !late;
        if (whole) {
            whole = co_await context_.sleep(with_.poll_interval);
        }
        if (!whole) {
            co_return leave(answer.text);
        }
    }
}

awaitable<service_minting::maybe_outcome> service_minting::open() {
    auto payload = mint_payload::parse(view_.job.payload);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    payload_ = std::move(*payload);
    if (payload_.ticket.empty()) {
        co_return discard("payload.ticket: expected a ticket, which the minting service needs");
    }
    who_.emplace(view_.job, payload_.key);
    auto asking = open_mint(*who_, "service", fingerprint_of(payload_), "service", payload_.ticket,
                            payload_.recipient.text());
    const auto answer = co_await context_.query(std::move(asking));
    if (!answer) {
        co_return retry(answer.error().message);
    }
    auto record = mint_record::read(*answer);
    if (!record) {
        co_return retry(record.error().message);
    }
    if (record->fingerprint != fingerprint_of(payload_)) {
        co_return discard(std::string{key_reused});
    }
    if (record->minted) {
        auto output = std::move(record->output);
        co_await ledger_.happened(*who_, output);
        co_return completed(std::move(output));
    }
    co_return std::nullopt;
}

std::string service_minting::body() const {
    std::string text{R"({"ticketId":)"};
    text += json_string(payload_.ticket);
    text += R"(,"userId":)" + json_string(payload_.user);
    text += R"(,"recipient":)" + json_string(payload_.recipient.text());
    text += R"(,"name":)" + json_string(payload_.name);
    text += R"(,"symbol":)" + json_string(payload_.symbol);
    text += payload_.uri ? R"(,"uri":)" + json_string(*payload_.uri)
                         : R"(,"metadata":)" + payload_.metadata;
    text += R"(,"idempotencyKey":)" + json_string(who_->key) + "}";
    return text;
}

awaitable<service_answer> service_minting::ask(std::string method, std::string path,
                                               std::string body) {
    http_request request{std::move(method), with_.service_url + path, std::move(body)};
    request.set("content-type", "application/json");
    request.ca_file = with_.ca_file;
    request.allow_http = with_.allow_http;
    request.addresses = address_policy::any;  // the operator's own setting, not a payload's
    if (request.method == "POST") {
        // Keys may hold characters that a header cannot.
        request.set("idempotency-key", sha256_hex(who_->key));
    }
    with_.signer->sign(request, path);
    call_policy policy;
    policy.timeout = with_.rpc_timeout;
    policy.own_credentials = true;
    policy.tell_deadline = true;
    const auto response = co_await call(view_, request, policy);
    co_return read_service_answer(response);
}

awaitable<service_minting::maybe_outcome> service_minting::post() {
    if (view_.stop.stop_requested()) {
        co_return stopped_outcome(view_.stop_reason());
    }
    auto held = co_await ledger_.begin(*who_);
    if (held) {
        co_return held;
    }
    std::string path{mint_path};
    auto answer = co_await ask("POST", std::move(path), body());
    if (answer.word == service_word::refused) {
        auto over = co_await ledger_.did_not_happen();
        co_return over ? std::move(*over) : given_up(*who_, answer.text);
    }
    // Whatever else it said: its status is asked for next.
    co_return std::nullopt;
}

awaitable<outcome> service_minting::finish(std::string output) {
    co_await ledger_.happened(*who_, output);
    co_return minted(*who_, payload_, std::move(output));
}

outcome service_minting::leave(const std::string& why) {
    if (ledger_.open()) {
        return unknown(why);
    }
    if (view_.stop_reason() != stop_reason::none) {
        return stopped_outcome(view_.stop_reason());
    }
    return view_.job.reconcile ? snooze(with_.look_again, why) : retry(why);
}

}  // namespace libqueue::processors::mint
