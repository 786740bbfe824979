#include "processors/payment/effect_step.hpp"

#include "processors/support/crypto.hpp"

#include <sql/effect_age.hpp>
#include <sql/next_payment_key.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace libqueue::processors::payment {

namespace {

namespace json = boost::json;

/// What the ledger keeps of a reply, so that a later run need not ask again.
std::string kept(const reply& said) {
    json::object out;
    out["state"] = to_string(said.state);
    out["provider_id"] = said.provider_id;
    out["captured"] = said.captured;
    if (!said.refund_id.empty()) {
        out["refund_id"] = said.refund_id;
    }
    return json::serialize(out);
}

reply recalled(const std::string& text) {
    reply made{verdict::done};
    boost::system::error_code failed;
    const auto value = json::parse(text, failed);
    const auto* const object = value.if_object();
    if (failed || object == nullptr) {
        return made;
    }
    const auto read = [object](std::string_view name) {
        const auto* const found = object->if_contains(name);
        return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                      : std::string{};
    };
    made.state = parse_payment_state(read("state")).value_or(payment_state::open);
    made.provider_id = read("provider_id");
    made.refund_id = read("refund_id");
    const auto* const captured = object->if_contains("captured");
    made.captured = captured != nullptr && captured->is_int64() ? captured->get_int64() : 0;
    return made;
}

step_end come_back_later(outcome when) {
    step_end end;
    end.later.emplace(std::move(when));
    return end;
}

step_end ended(reply said) {
    step_end end;
    end.said = std::move(said);
    return end;
}

/// The effect of one step during one run.
class step {
   public:
    step(job_context& context, const run_view& run, const provider& at, operation& what,
         const step_plan& plan, effect begun)
        : context_{context},
          run_{run},
          at_{at},
          what_{what},
          plan_{plan},
          effect_{std::move(begun)},
          open_{effect_.state() == effect_state::unknown} {}

    boost::asio::awaitable<step_end> take() {
        const auto age = co_await key_age();
        const bool too_old = open_ && age >= key_life;
        // A little more than needed, because clocks differ.
        what_.since = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) -
                      age - std::chrono::seconds{30};
        if (plan_.look_first || too_old) {
            auto found = co_await at_.look(run_, what_, effect_.key());
            if (found.what != verdict::absent) {
                auto end = co_await heed(std::move(found), open_);
                co_return end;
            }
            if (too_old) {
                auto end =
                    co_await take_new_key("its key is " + std::to_string(age.count() / 3600) +
                                          " h old and the provider has nothing of it");
                co_return end;
            }
        }
        auto said = co_await at_.act(run_, what_, effect_.key());
        // A refusal of the key itself says nothing of what an earlier request did under it.
        const bool of_key = open_ && said.what == verdict::refused && said.about_key;
        if (said.what == verdict::saved_doubt || of_key) {
            auto found = co_await at_.look(run_, what_, effect_.key());
            if (found.what == verdict::absent) {
                auto end = co_await take_new_key(said.why + ", and nothing came of it");
                co_return end;
            }
            auto end = co_await heed(std::move(found), true);
            co_return end;
        }
        const bool may_have = open_ || said.what == verdict::doubt;
        auto end = co_await heed(std::move(said), may_have);
        co_return end;
    }

   private:
    boost::asio::awaitable<std::chrono::seconds> key_age() {
        if (!open_) {
            co_return std::chrono::seconds{0};
        }
        statement asked{std::string{sql::effect_age}};
        asked.parameters.emplace_back(std::to_string(run_.job.id));
        asked.parameters.emplace_back(plan_.name());
        const auto found = co_await context_.query(std::move(asked));
        std::int64_t seconds = 0;
        if (found && found->size() == 1) {
            const auto text = found->text(0, 0);
            std::from_chars(text.data(), text.data() + text.size(), seconds);
        }
        co_return std::chrono::seconds{seconds};
    }

    boost::asio::awaitable<result<void>> happened(std::string output) {
        if (open_) {
            auto said = co_await effect_.resolve(true, std::move(output));
            co_return said;
        }
        auto said = co_await effect_.commit(std::move(output));
        co_return said;
    }

    boost::asio::awaitable<result<void>> did_not_happen() {
        if (open_) {
            auto said = co_await effect_.resolve(false, std::string{});
            co_return said;
        }
        auto said = co_await effect_.abandon();
        co_return said;
    }

    /// `may_have`: without a word on it the effect may have happened.
    boost::asio::awaitable<step_end> heed(reply said, bool may_have) {
        if (said.what == verdict::done) {
            const auto told = co_await happened(kept(said));
            co_return told ? ended(std::move(said)) : come_back_later(retry(told.error().message));
        }
        if (said.what == verdict::refused) {
            const auto told = co_await did_not_happen();
            co_return told ? ended(std::move(said)) : come_back_later(retry(told.error().message));
        }
        if (may_have) {
            co_return come_back_later(unknown(said.why));
        }
        const auto told = co_await did_not_happen();
        co_return come_back_later(told ? come_back(said) : retry(told.error().message));
    }

    boost::asio::awaitable<step_end> take_new_key(std::string why) {
        // In this order: were it the other one and we died between, the ledger would hold an open
        // effect under a key that nobody asks for any more.
        const auto told = co_await did_not_happen();
        if (!told) {
            co_return come_back_later(retry(told.error().message));
        }
        statement next{std::string{sql::next_payment_key}};
        next.parameters.emplace_back(std::to_string(run_.job.id));
        const auto made = co_await context_.query(std::move(next));
        if (!made) {
            co_return come_back_later(retry(made.error().message));
        }
        run_.log(log_level::warning, plan_.name() + ": " + why + "; the next run uses a new key");
        co_return come_back_later(retry_after(std::chrono::milliseconds{0}, std::move(why)));
    }

    job_context& context_;
    const run_view& run_;
    const provider& at_;
    operation& what_;
    const step_plan& plan_;
    effect effect_;
    bool open_;
};

}  // namespace

std::string mark_of(const run_view& run) {
    const auto created = run.job.created_at.time_since_epoch().count();
    return std::to_string(run.job.id) + "-" + sha256_hex(std::to_string(created)).substr(0, 8);
}

std::string mark_of(const run_view& run, int generation) {
    const auto mark = mark_of(run);
    return generation == 0 ? mark : mark + "." + std::to_string(generation);
}

std::string key_of(const run_view& run, const step_plan& plan) {
    std::string key =
        "lq:" + run.job.tenant_id.value_or("-") + ":" + mark_of(run) + ":" + plan.step;
    if (plan.generation > 0) {
        key += "." + std::to_string(plan.generation);
    }
    return key;
}

outcome come_back(const reply& said) {
    using namespace std::chrono_literals;
    switch (said.what) {
        case verdict::throttled:
            return snooze(std::max<std::chrono::milliseconds>(said.after.value_or(1s), 100ms),
                          said.why);
        case verdict::shut:
            // The job stays as it is until somebody has seen to the credentials.
            return snooze(60s, said.why + ": the credentials are refused");
        default:
            break;
    }
    return said.after ? retry_after(*said.after, said.why) : retry(said.why);
}

boost::asio::awaitable<step_end> take_step(job_context& context, const run_view& run,
                                           const provider& at, operation& what,
                                           const step_plan& plan) {
    auto begun = co_await context.begin_effect(plan.name(), key_of(run, plan));
    if (!begun) {
        co_return come_back_later(retry(begun.error().message));
    }
    if (begun->state() == effect_state::committed) {
        step_end end;
        end.recalled = true;
        end.said = recalled(begun->output().value_or("{}"));
        co_return end;
    }
    step one{context, run, at, what, plan, std::move(*begun)};
    auto end = co_await one.take();
    co_return end;
}

}  // namespace libqueue::processors::payment
