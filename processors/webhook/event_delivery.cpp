#include "processors/webhook/event_delivery.hpp"

#include "processors/support/http_client.hpp"
#include "processors/support/text_rules.hpp"

#include <sql/webhook_give_up.hpp>
#include <sql/webhook_record_delivery.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace libqueue::processors::webhook {

namespace {

using std::chrono::milliseconds;

/// A 429 that does not say when.
constexpr milliseconds unsaid_wait{5'000};
/// So long a 429 uses up no attempt.
constexpr std::chrono::hours patience{24};
/// Nobody is given up sooner because of its age.
constexpr std::chrono::hours shortest_trial{1};
constexpr double jitter = 0.1;

milliseconds spread(milliseconds wait, double random01) {
    const double factor = 1 - jitter + 2 * jitter * std::clamp(random01, 0.0, 1.0);
    return milliseconds{static_cast<std::int64_t>(static_cast<double>(wait.count()) * factor)};
}

attempt_end failed(const endpoint& to, const std::string& why, milliseconds at_least,
                   const run_view& run, std::chrono::system_clock::time_point now,
                   double random01) {
    const auto wait = to.wait_after(run.job.attempt);
    const bool last = !wait || run.job.attempt >= run.job.max_attempts;
    // Behind an open circuit a delivery may get its attempts far apart: its age counts as well.
    const bool outlived =
        now - run.job.created_at >= std::max<milliseconds>(to.total_wait(), shortest_trial);
    const auto next = last ? milliseconds{0} : std::max(at_least, spread(*wait, random01));
    // The engine ends a job after its last attempt by itself, and says so.
    const bool ended = run.job.attempt >= run.job.max_attempts;
    attempt_end end{ended ? retry(why) : last ? discard(why) : retry_after(next, why), "failed"};
    if (!last) {
        end.next = next;
    }
    // A job that was given fewer attempts than the endpoint has waits says nothing about it.
    if (!wait || outlived) {
        end.give_up = "attempt " + std::to_string(run.job.attempt) +
                      " failed and nothing was delivered since the first: " + why;
        end.unless_delivered = true;
    }
    return end;
}

attempt_end end_of_answer(const endpoint& to, const http_response& response, const run_view& run,
                          std::chrono::system_clock::time_point now, double random01) {
    const long status = response.status;
    const auto answered = "the endpoint answered " + std::to_string(status);
    if (status >= 200 && status < 300) {
        return attempt_end{
            completed(R"({"status":)" + std::to_string(status) + R"(,"duration_ms":)" +
                      std::to_string(response.duration.count()) + "}"),
            "delivered"};
    }
    if (status == 410) {
        attempt_end end{discard(answered + ": it asks for no more deliveries"), "gone"};
        end.give_up = answered + ": it asks for no more deliveries";
        return end;
    }
    const bool may_say_when = status == 429 || (status >= 502 && status <= 504);
    const auto said = may_say_when ? retry_after_of(response, now) : std::nullopt;
    if (status == 429 && now - run.job.created_at < patience) {
        const auto wait = said.value_or(unsaid_wait);
        attempt_end end{snooze(wait, answered), "throttled"};
        end.next = wait;
        return end;
    }
    const auto why =
        status >= 300 && status < 400 ? answered + ": redirects are not followed" : answered;
    return failed(to, why, said.value_or(milliseconds{0}), run, now, random01);
}

double random_share() {
    // Seldom called: only failures wait.
    std::random_device source;
    return static_cast<double>(source()) / (static_cast<double>(std::random_device::max()) + 1.0);
}

std::optional<std::string> text_or_null(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

statement log_row(const event_payload& event, const run_view& run, const attempt_end& end,
                  const http_response& response, std::size_t request_bytes) {
    const bool answered = response.end == http_end::answered;
    std::optional<std::string> status;
    std::optional<std::string> answer;
    if (answered) {
        status = std::to_string(response.status);
        if (end.word != "delivered") {
            answer = text_or_null(excerpt_of(response.body));
        }
    }
    std::optional<std::string> next;
    if (end.next) {
        next = std::to_string(end.next->count());
    }
    return statement{std::string{sql::webhook_record_delivery},
                     {std::to_string(event.endpoint), event.id, std::to_string(run.job.id),
                      std::to_string(run.job.attempt), end.word, std::move(status),
                      std::to_string(response.duration.count()), std::to_string(request_bytes),
                      std::move(next), text_or_null(end.said.message()), std::move(answer)}};
}

statement giving_up(const event_payload& event, const run_view& run, const attempt_end& end) {
    std::optional<std::string> since;
    if (end.unless_delivered) {
        since = utc_text(run.job.created_at);
    }
    return statement{std::string{sql::webhook_give_up},
                     {std::to_string(event.endpoint), std::move(since), end.give_up}};
}

bool is_token_character(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '+' || c == '/' || c == '=' || c == '.';
}

/// A run of such characters with a digit in it: no word of a language is as long.
bool could_be_secret(std::string_view run) {
    constexpr std::size_t shortest = 20;
    return run.size() >= shortest && run.find_first_of("0123456789") != std::string_view::npos;
}

/// The length of the UTF-8 sequence that begins here; 0 when none does.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return static_cast<unsigned char>(text[at]);
    };
    const std::size_t length = byte(0) < 0x80                       ? 1
                               : byte(0) >= 0xc2 && byte(0) <= 0xdf ? 2
                               : (byte(0) & 0xf0U) == 0xe0          ? 3
                               : byte(0) >= 0xf0 && byte(0) <= 0xf4 ? 4
                                                                    : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    // Overlong forms, surrogates and what is above U+10FFFF.
    if ((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) > 0x9f) ||
        (byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) > 0x8f)) {
        return 0;
    }
    return length;
}

/// Valid UTF-8 without control characters, at most `most` bytes.
std::string printable(std::string_view text, std::size_t most) {
    std::string made;
    while (!text.empty()) {
        const auto length = sequence_length(text);
        const auto first = static_cast<unsigned char>(text.front());
        const bool control = first < 0x20 || first == 0x7f;
        const auto piece = length == 0 ? "?" : control ? " " : text.substr(0, length);
        if (made.size() + piece.size() > most) {
            break;
        }
        made += piece;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return made;
}

}  // namespace

std::string excerpt_of(std::string_view body, std::size_t most) {
    const auto text = with_addresses_masked(printable(body, most));
    std::string made;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && is_token_character(static_cast<unsigned char>(text[end]))) {
            ++end;
        }
        const auto run = std::string_view{text}.substr(at, end - at);
        if (run.empty()) {
            made += text[at++];
            continue;
        }
        made += could_be_secret(run) ? std::string_view{"[...]"} : run;
        at = end;
    }
    return made;
}

attempt_end end_of(const endpoint& to, const http_response& response, const run_view& run,
                   std::chrono::system_clock::time_point now, double random01) {
    switch (response.end) {
        case http_end::answered:
            return end_of_answer(to, response, run, now, random01);
        case http_end::stopped:
            return attempt_end{stopped_outcome(run.stop_reason()), ""};
        case http_end::address_refused:
        case http_end::bad_url: {
            attempt_end end{discard(response.error), "refused"};
            end.give_up = response.error;
            return end;
        }
        case http_end::timed_out:
            return failed(to,
                          "no answer within " + std::to_string(response.duration.count()) + " ms",
                          milliseconds{0}, run, now, random01);
        case http_end::failed:
            break;
    }
    return failed(to, with_addresses_masked(response.error), milliseconds{0}, run, now, random01);
}

boost::asio::awaitable<outcome> deliver_event(std::shared_ptr<const settings> with,
                                              std::shared_ptr<const endpoint> to,
                                              event_payload event, run_view run) {
    http_response response;
    std::size_t request_bytes = 0;
    if (auto fault = url_fault(to->url, with->rules()); !fault.empty()) {
        response.end = http_end::bad_url;
        response.error = "the endpoint's URL: " + fault;
    } else {
        const auto timeout =
            std::min(to->timeout.value_or(with->given.timeout), with->given.timeout);
        const auto deadline = std::min(run.deadline, std::chrono::steady_clock::now() + timeout);
        const auto request = message_of(*with, *to, event);
        request_bytes = request.body.size();
        response = co_await perform_for(run, request, deadline);
        report(run, response, unsaid_wait);
    }
    const bool delivered =
        response.end == http_end::answered && response.status >= 200 && response.status < 300;
    auto end = end_of(*to, response, run, std::chrono::system_clock::now(),
                      delivered ? 0.5 : random_share());
    if (end.word.empty()) {
        co_return std::move(end.said);
    }
    outcome said = end.said.also(log_row(event, run, end, response, request_bytes));
    if (!end.give_up.empty()) {
        said = std::move(said).also(giving_up(event, run, end));
    }
    co_return said;
}

}  // namespace libqueue::processors::webhook
