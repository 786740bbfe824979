#include "processors/payment/provider.hpp"

#include <array>

namespace libqueue::processors::payment {

namespace {

constexpr std::array<std::pair<payment_state, std::string_view>, 7> states{{
    {payment_state::open, "open"},
    {payment_state::processing, "processing"},
    {payment_state::action_required, "action_required"},
    {payment_state::authorized, "authorized"},
    {payment_state::succeeded, "succeeded"},
    {payment_state::failed, "failed"},
    {payment_state::cancelled, "cancelled"},
}};

verdict verdict_of_status(long status) noexcept {
    if (status >= 200 && status <= 299) {
        return verdict::done;
    }
    switch (status) {
        case 401:
        case 403:
            return verdict::shut;
        case 408:
        case 409:
        case 425:
            return verdict::doubt;
        case 429:
            return verdict::throttled;
        case 500:
            return verdict::saved_doubt;
        default:
            break;
    }
    if (status >= 400 && status <= 499) {
        return verdict::refused;
    }
    // A redirection is no answer of the provider's but of what stands before it.
    return status >= 500 ? verdict::doubt : verdict::shut;
}

}  // namespace

std::string_view to_string(payment_state state) noexcept {
    for (const auto& [value, name] : states) {
        if (value == state) {
            return name;
        }
    }
    return "open";
}

std::optional<payment_state> parse_payment_state(std::string_view text) noexcept {
    for (const auto& [value, name] : states) {
        if (name == text) {
            return value;
        }
    }
    return std::nullopt;
}

reply first_judgement(const http_response& response, std::string_view name) {
    reply made;
    made.why = name;
    if (response.end != http_end::answered) {
        made.what = response.sent && response.end != http_end::address_refused &&
                            response.end != http_end::bad_url
                        ? verdict::doubt
                        : verdict::unsent;
        made.why +=
            response.end == http_end::timed_out
                ? " did not answer within " + std::to_string(response.duration.count()) + " ms"
                : ": " + response.error;
        return made;
    }
    made.what = verdict_of_status(response.status);
    made.why += " answered " + std::to_string(response.status);
    made.after = retry_after_of(response, std::chrono::system_clock::now());
    return made;
}

reply judged(const operation& what, reply found) {
    if (found.what != verdict::done) {
        return found;
    }
    const auto is = [&found](payment_state state) {
        return found.state == state;
    };
    const auto with = [&found](verdict said) {
        found.what = said;
        return found;
    };
    switch (what.what) {
        case action::create:
            return is(payment_state::failed) ? with(verdict::refused) : found;
        case action::confirm:
            // Declined before or now: no money has moved, so it may be tried.
            if (is(payment_state::failed) || is(payment_state::open)) {
                return with(verdict::absent);
            }
            return is(payment_state::cancelled) ? with(verdict::refused) : found;
        case action::capture:
            if (is(payment_state::authorized)) {
                return with(verdict::absent);
            }
            return is(payment_state::succeeded) ? found : with(verdict::refused);
        case action::cancel:
            if (is(payment_state::cancelled)) {
                return found;
            }
            return is(payment_state::succeeded) ? with(verdict::refused) : with(verdict::absent);
        case action::refund:
            break;
    }
    return found;
}

}  // namespace libqueue::processors::payment
