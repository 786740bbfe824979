// Runs whose handlers take many jobs with one call, and runs that are recorded with statements.
#include "engine/lane.hpp"
#include "engine/runtime.hpp"
#include "engine/thrown.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

namespace libqueue::engine {
namespace {

batch_outcome all_retry(std::size_t jobs, const std::string& why) {
    batch_outcome all;
    all.each.assign(jobs, retry(why));
    return all;
}

}  // namespace

void runtime::start_batches() {
    std::map<const registration*, std::vector<run_ptr>> batches;
    for (run_ptr& run : std::exchange(gathered_, {})) {
        const registration& handler = *run->kind->handler;
        if (run->job.attempt > 1) {
            std::vector<run_ptr> alone{std::move(run)};
            tasks.spawn("batch handler", run_many(std::move(alone), &handler.handle_many));
            continue;
        }
        std::vector<run_ptr>& batch = batches[&handler];
        batch.push_back(std::move(run));
        if (batch.size() == static_cast<std::size_t>(handler.options.batch_max)) {
            tasks.spawn("batch handler", run_many(std::exchange(batch, {}), &handler.handle_many));
        }
    }
    for (auto& [handler, batch] : batches) {
        if (!batch.empty()) {
            tasks.spawn("batch handler", run_many(std::move(batch), &handler->handle_many));
        }
    }
}

boost::asio::awaitable<void> runtime::run_many(std::vector<run_ptr> runs,
                                               const batch_handler* handler) {
    std::vector<std::unique_ptr<job_context>> contexts;
    std::vector<job_context*> given;
    for (const run_ptr& run : runs) {
        contexts.push_back(std::make_unique<job_context>(*run));
        given.push_back(contexts.back().get());
    }
    std::exception_ptr thrown;
    batch_outcome said;
    try {
        auto answer = (*handler)(std::move(given));
        said = co_await std::move(answer);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown != nullptr) {
        said = all_retry(runs.size(), what_of(thrown));
    } else if (said.each.size() != runs.size()) {
        said = all_retry(runs.size(), "the batch handler answered for " +
                                          std::to_string(said.each.size()) + " of " +
                                          std::to_string(runs.size()) + " jobs");
    }
    returned_many(runs, std::move(said), thrown != nullptr);
}

void runtime::returned_many(const std::vector<run_ptr>& runs, batch_outcome said, bool thrown) {
    const bool together = !said.also.empty();
    const bool gone =
        std::any_of(runs.begin(), runs.end(), [](const run_ptr& run) { return run->finished; });
    if (together && gone) {
        // What the statements do is for all of them, and one is another worker's already.
        said = all_retry(runs.size(), "another job of the batch was lost or given up");
    }
    if (!together || gone) {
        for (std::size_t at = 0; at < runs.size(); ++at) {
            returned(runs[at], std::move(said.each[at]), thrown);
        }
        return;
    }
    pg::pass_process(pg::failpoint::run_after);
    finish_group group;
    for (std::size_t at = 0; at < runs.size(); ++at) {
        group.runs.push_back(end(runs[at], std::move(said.each[at]), thrown));
    }
    group.also = std::move(said.also);
    finisher.write(std::move(group));
}

void runtime::recorded(finish_group group) {
    for (ending& each : group.runs) {
        tell_of(each);
        each.ack.recorded = true;
        each.ack.log.clear();
        each.run->owner->acknowledge(std::move(each.ack));
        leave(each.run);
    }
}

void runtime::unwritten(finish_group group, const std::string& why) {
    for (ending& each : group.runs) {
        // A handler that is sure that nothing happened may be wrong about this one: what it did
        // before it answered is done.
        acknowledgement ack = decide(*each.run, retry(why), false);
        ack.reports = std::move(each.ack.reports);
        ack.log = std::move(each.ack.log);
        ending failed{each.run, retry(why), std::move(ack)};
        static_cast<void>(each.run->take_measures());  // what was done is not on record
        tell_of(failed);
        each.run->owner->acknowledge(std::move(failed.ack));
        leave(each.run);
    }
}

}  // namespace libqueue::engine
