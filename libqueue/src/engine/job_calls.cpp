// What a handler asks of the database through its context: checkpoints and effects.
#include "engine/job_run.hpp"
#include "engine/runtime.hpp"
#include "engine/sealing.hpp"
#include "engine/side_calls.hpp"

#include <libqueue/effect.hpp>
#include <libqueue/job_context.hpp>

#include <utility>

namespace libqueue {
namespace {

using boost::asio::awaitable;
using engine::job_run;

enum begin_column : int { col_state, col_key, col_result };

pg::params checkpoint_params(const job_run& run, const std::string& json) {
    pg::params p;
    p.number(run.job.id).number(run.job.lease).text(json);
    return p;
}

pg::params job_params(const job_run& run) {
    pg::params p;
    p.number(run.job.id);
    return p;
}

pg::params begin_params(const job_run& run, const std::string& step, const std::string& key) {
    pg::params p;
    p.number(run.job.id).number(run.job.lease).text(step);
    key.empty() ? p.null() : p.text(key);
    return p;
}

pg::params end_params(const job_run& run, const std::string& step) {
    pg::params p;
    p.number(run.job.id).number(run.job.lease).text(step);
    return p;
}

void add_json(pg::params& to, const std::string& json) {
    json.empty() ? to.null() : to.text(json);
}

result<std::string> kept_checkpoint(const job_run& run, const std::string& json) {
    return engine::seal_part(run, sealed_part::checkpoint, json, run.home->options);
}

std::optional<std::string> read_checkpoint(const job_run& run, const result<pg::result>& answer) {
    std::optional<std::string> kept = answer.value().optional_text(0, 0);
    if (kept) {
        kept = engine::open_part(run, sealed_part::checkpoint, std::move(*kept), run.home->options)
                   .value();
    }
    return kept;
}

/// What an effect gave, as it may be stored. Nothing when there is no key for it: that the effect
/// happened must be said all the same.
std::string kept_result(const job_run& run, const std::string& output) {
    if (output.empty()) {
        return output;
    }
    result<std::string> sealed =
        engine::seal_part(run, sealed_part::effect, output, run.home->options);
    return sealed.has_error() ? std::string{} : std::move(*sealed);
}

result<void> nothing_of(const result<pg::result>& answer) {
    return answer.has_error() ? result<void>{answer.error()} : result<void>{};
}

effect_state read_state(std::string_view text) {
    if (text == "begun") {
        return effect_state::begun;
    }
    return text == "committed" ? effect_state::committed : effect_state::unknown;
}

/// The step was noted as open before the question was sent; an answer may tell otherwise.
/// `first`: it was not open before.
result<effect> read_effect(job_run& run, const std::string& step, bool first,
                           const result<pg::result>& answer) {
    if (answer.has_error()) {
        if (first) {
            run.close_effect(step);
        }
        return answer.error();
    }
    const pg::result& row = *answer;
    const effect_state state = read_state(row.text(0, col_state));
    if (state == effect_state::committed) {
        run.close_effect(step);
    }
    std::optional<std::string> output = row.optional_text(0, col_result);
    if (output) {
        result<std::string> opened =
            engine::open_part(run, sealed_part::effect, std::move(*output), run.home->options);
        if (opened.has_error()) {
            return opened.error();
        }
        output = std::move(*opened);
    }
    return effect{run, state, step, std::string{row.text(0, col_key)}, std::move(output)};
}

result<void> ended(job_run& run, const std::string& step, const result<pg::result>& answer) {
    if (answer.has_error()) {
        return answer.error();
    }
    run.close_effect(step);
    return {};
}

const engine::statements& sql_of(const job_run& run) {
    return run.home->sql;
}

}  // namespace

awaitable<result<void>> job_context::checkpoint(std::string json) {
    const result<std::string> kept = kept_checkpoint(run_, json);
    if (kept.has_error()) {
        co_return kept.error();
    }
    pg::params with = checkpoint_params(run_, *kept);
    auto answer = co_await run_.home->calls.ask(sql_of(run_).put_checkpoint, std::move(with));
    co_return nothing_of(answer);
}

result<void> job_context::checkpoint_blocking(const std::string& json) {
    const result<std::string> kept = kept_checkpoint(run_, json);
    if (kept.has_error()) {
        return kept.error();
    }
    return nothing_of(
        run_.home->calls.ask_blocking(sql_of(run_).put_checkpoint, checkpoint_params(run_, *kept)));
}

awaitable<std::optional<std::string>> job_context::last_checkpoint() {
    pg::params with = job_params(run_);
    auto answer = co_await run_.home->calls.ask(sql_of(run_).last_checkpoint, std::move(with));
    co_return read_checkpoint(run_, answer);
}

std::optional<std::string> job_context::last_checkpoint_blocking() {
    return read_checkpoint(
        run_, run_.home->calls.ask_blocking(sql_of(run_).last_checkpoint, job_params(run_)));
}

awaitable<result<rows>> job_context::query(statement what) {
    // Held here: the texts of many statements may go before the answer comes.
    const std::shared_ptr<const pg::prepared> prepared = run_.home->handler_texts.of(what.sql);
    pg::params with = engine::params_of(what);
    auto answer = co_await run_.home->calls.ask(*prepared, std::move(with));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return engine::rows_of(*answer);
}

result<rows> job_context::query_blocking(const statement& what) {
    const pg::prepared once{"", run_.home->handler_texts.in_schema(what.sql)};
    const auto answer = run_.home->calls.ask_blocking(once, engine::params_of(what));
    return answer.has_error() ? result<rows>{answer.error()}
                              : result<rows>{engine::rows_of(*answer)};
}

const std::string& job_context::schema() const noexcept {
    return run_.home->options.schema;
}

awaitable<result<effect>> job_context::begin_effect(std::string step, std::string key) {
    // Open from here on: should the answer be lost, or the run be given up before it arrives, the
    // ledger may say so already.
    pg::params with = begin_params(run_, step, key);
    const bool first = run_.open_effect(step);
    auto answer = co_await run_.home->calls.ask(sql_of(run_).effect_begin, std::move(with));
    co_return read_effect(run_, step, first, answer);
}

result<effect> job_context::begin_effect_blocking(const std::string& step, const std::string& key) {
    const pg::params with = begin_params(run_, step, key);
    const bool first = run_.open_effect(step);
    return read_effect(run_, step, first,
                       run_.home->calls.ask_blocking(sql_of(run_).effect_begin, with));
}

awaitable<result<void>> effect::commit(std::string output) {
    pg::params with = end_params(*run_, step_);
    add_json(with, kept_result(*run_, output));
    auto answer = co_await run_->home->calls.ask(sql_of(*run_).effect_commit, std::move(with));
    co_return ended(*run_, step_, answer);
}

result<void> effect::commit_blocking(const std::string& output) {
    pg::params with = end_params(*run_, step_);
    add_json(with, kept_result(*run_, output));
    return ended(*run_, step_, run_->home->calls.ask_blocking(sql_of(*run_).effect_commit, with));
}

awaitable<result<void>> effect::abandon() {
    pg::params with = end_params(*run_, step_);
    auto answer = co_await run_->home->calls.ask(sql_of(*run_).effect_abandon, std::move(with));
    co_return ended(*run_, step_, answer);
}

result<void> effect::abandon_blocking() {
    const pg::params with = end_params(*run_, step_);
    return ended(*run_, step_, run_->home->calls.ask_blocking(sql_of(*run_).effect_abandon, with));
}

awaitable<result<void>> effect::resolve(bool happened, std::string output) {
    pg::params with = end_params(*run_, step_);
    with.boolean(happened);
    add_json(with, kept_result(*run_, output));
    auto answer = co_await run_->home->calls.ask(sql_of(*run_).effect_resolve, std::move(with));
    co_return ended(*run_, step_, answer);
}

result<void> effect::resolve_blocking(bool happened, const std::string& output) {
    pg::params with = end_params(*run_, step_);
    with.boolean(happened);
    add_json(with, kept_result(*run_, output));
    return ended(*run_, step_, run_->home->calls.ask_blocking(sql_of(*run_).effect_resolve, with));
}

}  // namespace libqueue
