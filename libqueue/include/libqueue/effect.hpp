#pragma once

#include <libqueue/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace libqueue {

namespace engine {
class job_run;
}

/// What the ledger says when an effect is begun.
enum class effect_state {
    begun,      ///< make the call, with `key()`, then `commit` or `abandon`
    committed,  ///< it happened in an earlier run (or in another job under this key): do not call
    unknown,    ///< an earlier call was never answered: find out, then `resolve`
};

[[nodiscard]] std::string_view to_string(effect_state state) noexcept;

/// One effect on the outside world, as the ledger knows it: a payment, a mail, a call that must not
/// be made twice. Made by `job_context::begin_effect`, which commits "begun" before it returns.
///
/// Destroyed without `commit`, `abandon` or `resolve`, an effect stays open: the call may have been
/// made. Whatever the handler says then but `completed` is recorded as `unknown`, and so is a
/// worker that dies, whatever the kind's `on_lost`: the next run is the reconcile handler's.
///
/// As the context: valid while the handler runs. Members ending in _blocking are for blocking
/// handlers, the others for coroutines. All are durable when they return; a lost connection throws
/// `failure`, after which the effect counts as open.
class effect {
   public:
    effect(engine::job_run& run, effect_state state, std::string step, std::string key,
           std::optional<std::string> output)
        : run_{&run},
          state_{state},
          step_{std::move(step)},
          key_{std::move(key)},
          output_{std::move(output)} {}
    effect(effect&&) noexcept = default;
    effect& operator=(effect&&) noexcept = default;

    [[nodiscard]] effect_state state() const noexcept { return state_; }
    [[nodiscard]] const std::string& step() const noexcept { return step_; }
    /// What to send to the provider as its idempotency key: the same in every attempt.
    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    /// Of a committed effect: what `commit` was given, as JSON text.
    [[nodiscard]] const std::optional<std::string>& output() const noexcept { return output_; }

    /// The call was answered: it happened. `output` is JSON of at most 64 KiB, or empty for none.
    /// Accepted also when the lease was lost meanwhile, for it is true all the same, but not
    /// (`lease_lost`) once another run has decided about the effect.
    [[nodiscard]] boost::asio::awaitable<result<void>> commit(std::string output = {});
    [[nodiscard]] result<void> commit_blocking(const std::string& output = {});
    /// It surely did not happen: the connection was refused, the provider said no. It may be begun
    /// again.
    [[nodiscard]] boost::asio::awaitable<result<void>> abandon();
    [[nodiscard]] result<void> abandon_blocking();
    /// Of an `unknown` effect: what the provider said became of it. `conflict` when the run that
    /// began it has said otherwise.
    [[nodiscard]] boost::asio::awaitable<result<void>> resolve(bool happened,
                                                               std::string output = {});
    [[nodiscard]] result<void> resolve_blocking(bool happened, const std::string& output = {});

   private:
    engine::job_run* run_;
    effect_state state_;
    std::string step_;
    std::string key_;
    std::optional<std::string> output_;
};

}  // namespace libqueue
