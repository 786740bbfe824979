#pragma once

#include <libqueue/statement.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libqueue {

/// What a handler says about one attempt: a closed set. A handler that throws has said
/// `retry` with the exception's text.
class outcome {
   public:
    enum class type {
        completed,  ///< done; `output()` is stored
        retry,      ///< failed; try again after the kind's backoff or `after()`; burns an attempt
        snooze,     ///< not now; run again after `after()`; burns no attempt
        discard,    ///< will never work; straight to the dead letters
        cancelled,  ///< stopped because it was asked to; final, not a dead letter
        unknown,    ///< the effect may have happened; the kind's reconcile handler decides
    };

    outcome(type kind, std::string message, std::optional<std::chrono::milliseconds> after,
            std::string output)
        : type_{kind}, message_{std::move(message)}, after_{after}, output_{std::move(output)} {}

    [[nodiscard]] type kind() const noexcept { return type_; }
    /// Why, for people. Any bytes; stored truncated to 16 KiB with invalid UTF-8 replaced.
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> after() const noexcept { return after_; }
    /// JSON text, or empty for none. Output that is not JSON PostgreSQL can store is replaced by a
    /// JSON string of the same text, made storable; at most 1 MiB is kept.
    [[nodiscard]] const std::string& output() const noexcept { return output_; }

    /// Runs `what` in the transaction that records this outcome, after it and in the order given:
    /// rows, follow-up jobs (`enqueue_statement`), `queue.publish`, all exactly once with the end
    /// of the run, and none when the lease is lost. When a statement fails nothing of it is kept:
    /// the run is recorded as `retry` with the server's message. Nothing runs either when something
    /// else is recorded than what the handler said (an effect was left open, the time was over).
    ///
    /// Transactions of several runs may be made one, and hold the locks of their rows together:
    /// keep statements short, and lock rows in the same order everywhere. Without such statements a
    /// run is recorded with hundreds of others; with them it costs a share of a commit of its own.
    [[nodiscard]] outcome also(statement what) && {
        also_.push_back(std::move(what));
        return std::move(*this);
    }
    [[nodiscard]] outcome also(statement what) const& {
        outcome more{*this};
        more.also_.push_back(std::move(what));
        return more;
    }
    [[nodiscard]] const std::vector<statement>& also() const noexcept { return also_; }

   private:
    type type_;
    std::string message_;
    std::optional<std::chrono::milliseconds> after_;
    std::string output_;
    std::vector<statement> also_;
};

[[nodiscard]] std::string_view to_string(outcome::type type) noexcept;

[[nodiscard]] inline outcome completed(std::string output_json = {}) {
    return outcome{outcome::type::completed, {}, std::nullopt, std::move(output_json)};
}
/// Retry after the kind's backoff.
[[nodiscard]] inline outcome retry(std::string why) {
    return outcome{outcome::type::retry, std::move(why), std::nullopt, {}};
}
/// Retry after exactly `after` (a provider's Retry-After), whatever the backoff says.
[[nodiscard]] inline outcome retry_after(std::chrono::milliseconds after, std::string why) {
    return outcome{outcome::type::retry, std::move(why), after, {}};
}
[[nodiscard]] inline outcome snooze(std::chrono::milliseconds after, std::string why = {}) {
    return outcome{outcome::type::snooze, std::move(why), after, {}};
}
[[nodiscard]] inline outcome discard(std::string why) {
    return outcome{outcome::type::discard, std::move(why), std::nullopt, {}};
}
[[nodiscard]] inline outcome cancelled(std::string why = {}) {
    return outcome{outcome::type::cancelled, std::move(why), std::nullopt, {}};
}
[[nodiscard]] inline outcome unknown(std::string why) {
    return outcome{outcome::type::unknown, std::move(why), std::nullopt, {}};
}

}  // namespace libqueue
