#include "api/acting.hpp"
#include "api/as_result.hpp"
#include "api/job_sealing.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "pg/connection.hpp"
#include "store/new_job_check.hpp"
#include "store/operator_store.hpp"

#include <libqueue/operations.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace libqueue {
namespace {

using api::on_connection;

[[nodiscard]] error unknown_queue(std::string_view queue) {
    return error{errc::unknown_queue, "unknown queue '" + std::string{queue} + "'"};
}

[[nodiscard]] job_filter only(const job_filter& filter, std::initializer_list<job_state> states) {
    job_filter part = filter;
    std::erase_if(part.states, [&](job_state state) {
        return std::find(states.begin(), states.end(), state) == states.end();
    });
    return part;
}

[[nodiscard]] bool asks_history(const job_filter& filter) {
    return filter.states.empty() ||
           std::any_of(filter.states.begin(), filter.states.end(), [](job_state state) {
               return state == job_state::completed || state == job_state::cancelled;
           });
}

/// Pages through the history, growing pages until enough match, all is older than asked, or the
/// cap is reached.
report search_history(client& from, job_filter filter) {
    constexpr int first_page = 200;
    constexpr int largest_page = 10'000;
    constexpr std::size_t extra_columns = 3;
    const auto wanted = static_cast<std::size_t>(std::max(0, filter.limit));
    report all;
    int examined = 0;
    for (int page = first_page;; page = std::min(page * 4, largest_page)) {
        page = std::min(page, limits::list_examined_max - examined);
        report part = on_connection(from, [&](const store::session& with) {
            return api::make_report(store::list_jobs(with, filter, page));
        });
        LIBQUEUE_ASSERT(!part.rows.empty() && part.columns.size() > extra_columns);
        const auto extra = part.columns.size() - extra_columns;
        const auto& tail = part.rows.front();
        const int seen = std::stoi(tail.at(extra).value());
        const bool older = tail.at(extra + 2) == "t";
        if (seen > 0) {
            filter.before = std::stoll(tail.at(extra + 1).value());
        }
        examined += seen;
        part.columns.erase(part.columns.end() - extra_columns, part.columns.end());
        all.columns = std::move(part.columns);
        for (auto& row : part.rows) {
            if (row.front()) {
                row.resize(extra);
                all.rows.push_back(std::move(row));
            }
        }
        if (all.rows.size() == wanted) {
            all.next = std::stoll(all.rows.back().front().value());
            return all;
        }
        if (seen < page || older) {
            return all;
        }
        if (examined >= limits::list_examined_max) {
            all.next = filter.before;
            all.capped = true;
            return all;
        }
        filter.limit = static_cast<int>(wanted - all.rows.size());
    }
}

[[nodiscard]] result<void> check_replay(const replay_options& options) {
    constexpr double fastest = 1e6;
    // NaN fails both comparisons.
    if (!(options.per_second >= 0 && options.per_second <= fastest)) {
        return error{errc::invalid_argument, "per_second: expected 0 to 1000000, got " +
                                                 std::to_string(options.per_second)};
    }
    if (options.payload) {
        if (auto payload = core::json_storable(*options.payload); payload.has_error()) {
            return payload.error();
        }
    }
    return options.to_queue ? store::check_queue_name(*options.to_queue) : result<void>{};
}

/// Goes through the dead letters that match now, in batches of their own transactions. Letters that
/// die meanwhile are left for the next sweep, so it ends however fast replayed jobs die again.
template <typename Take>
std::int64_t sweep_letters(client& from, const dead_letter_filter& filter,
                           const progress_callback& progress, Take take) {
    const store::sweep all = on_connection(
        from, [&](const store::session& with) { return store::count_dead_letters(with, filter); });
    std::int64_t done = 0;
    job_id after = std::numeric_limits<job_id>::min();
    while (true) {
        const auto ids = on_connection(from, [&](const store::session& with) {
            return store::next_dead_letters(with, filter, after, all.last_id);
        });
        if (ids.empty()) {
            return done;
        }
        done += on_connection(
            from, [&](const store::session& with) { return take(with, ids, all, done); });
        after = ids.back();
        if (progress && !progress(done, all.total)) {
            return done;
        }
    }
}

}  // namespace

report operations::list_jobs(const job_filter& filter) {
    if (asks_history(filter)) {
        return search_history(client_, filter);
    }
    return on_connection(client_, [&](const store::session& with) {
        std::vector<report> parts;
        const job_filter waiting =
            only(filter, {job_state::ready, job_state::scheduled, job_state::retrying});
        if (!waiting.states.empty()) {
            parts.push_back(api::make_report(store::list_waiting_jobs(with, waiting)));
        }
        if (!only(filter, {job_state::running}).states.empty()) {
            parts.push_back(api::make_report(store::list_running_jobs(with, filter)));
        }
        if (!only(filter, {job_state::dead}).states.empty()) {
            parts.push_back(api::make_report(store::list_dead_jobs(with, filter)));
        }
        report all = api::merge_by_id(std::move(parts), static_cast<std::size_t>(filter.limit));
        if (all.rows.size() == static_cast<std::size_t>(filter.limit)) {
            all.next = std::stoll(all.rows.back().front().value());
        }
        return all;
    });
}

report operations::attempts(job_id id) {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_attempts(with, id));
    });
}

result<report> operations::explain(job_id id) {
    return api::as_result([&] {
        return on_connection(client_, [&](const store::session& with) {
            return api::make_report(store::explain_job(with, id));
        });
    });
}

report operations::list_dead_letters(const dead_letter_filter& filter) {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_dead_letters(with, filter));
    });
}

report operations::dead_letter_groups(const dead_letter_filter& filter) {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::group_dead_letters(with, filter));
    });
}

std::int64_t operations::count_dead_letters(const dead_letter_filter& filter) {
    return on_connection(client_, [&](const store::session& with) {
        return store::count_dead_letters(with, filter).total;
    });
}

result<std::int64_t> operations::replay(const dead_letter_filter& filter,
                                        const replay_options& options,
                                        const progress_callback& progress) {
    if (auto valid = check_replay(options); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        if (options.dry_run) {
            return count_dead_letters(filter);
        }
        const keyring* keys = options.payload || options.to_queue ? client_.keys().get() : nullptr;
        return sweep_letters(
            client_, filter, progress,
            [&](const store::session& with, const std::vector<job_id>& ids, const store::sweep& all,
                std::int64_t done) {
                return keys != nullptr ? api::replay_anew(*keys, with, ids, options, all, done)
                                       : store::replay_dead_letters(with, ids, options, all, done);
            });
    });
}

std::int64_t operations::discard(const dead_letter_filter& filter, bool dry_run,
                                 const progress_callback& progress) {
    if (dry_run) {
        return count_dead_letters(filter);
    }
    return sweep_letters(
        client_, filter, progress,
        [](const store::session& with, const std::vector<job_id>& ids, const store::sweep& /*all*/,
           std::int64_t /*done*/) { return store::discard_dead_letters(with, ids); });
}

std::int64_t operations::prune_dead_letters(std::chrono::seconds age) {
    std::int64_t done = 0;
    while (true) {
        const std::int64_t gone = on_connection(client_, [&](const store::session& with) {
            pg::transaction work{with.on};
            const std::int64_t done_now = store::prune_dead_letters(with, age);
            if (done_now > 0) {
                api::record_action(
                    with.on, with.schema,
                    {"dead_letters.prune", "", "{\"count\": " + std::to_string(done_now) + "}"});
            }
            work.commit();
            return done_now;
        });
        if (gone == 0) {
            return done;
        }
        done += gone;
    }
}

report operations::list_queues() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_queues(with));
    });
}

result<report> operations::show_queue(std::string_view queue) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        report one = on_connection(client_, [&](const store::session& with) {
            return api::make_report(store::show_queue(with, queue));
        });
        if (one.rows.empty()) {
            throw domain_failure{unknown_queue(queue)};
        }
        return one;
    });
}

result<void> operations::create_queue(std::string_view queue) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        on_connection(client_,
                      [&](const store::session& with) { store::create_queue(with, queue); });
    });
}

result<void> operations::pause(std::string_view queue, std::string_view reason) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        on_connection(client_,
                      [&](const store::session& with) { store::pause_queue(with, queue, reason); });
    });
}

result<void> operations::resume(std::string_view queue) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        on_connection(client_,
                      [&](const store::session& with) { store::resume_queue(with, queue); });
    });
}

result<std::int64_t> operations::purge(std::string_view queue, bool dry_run,
                                       const progress_callback& progress) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        const auto before = on_connection(client_, [&](const store::session& with) {
            return store::count_outstanding(with, queue);
        });
        if (!before) {
            throw domain_failure{unknown_queue(queue)};
        }
        if (dry_run) {
            return before->waiting;
        }
        std::int64_t done = 0;
        while (true) {
            const std::int64_t gone = on_connection(client_, [&](const store::session& with) {
                return store::purge_queue(with, queue, before->last_id);
            });
            done += gone;
            if (gone == 0 || (progress && !progress(done, before->waiting))) {
                return done;
            }
        }
    });
}

result<std::int64_t> operations::outstanding(std::string_view queue) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    return api::as_result([&] {
        const auto now = on_connection(client_, [&](const store::session& with) {
            return store::count_outstanding(with, queue);
        });
        if (!now) {
            throw domain_failure{unknown_queue(queue)};
        }
        return now->waiting + now->running;
    });
}

report operations::list_workers() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_workers(with));
    });
}

bool operations::worker_ended(int pid, std::string_view how) {
    return on_connection(client_, [&](const store::session& with) {
        return store::record_worker_end(with, pid, how);
    });
}

report operations::list_kinds() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_kinds(with));
    });
}

report operations::unhandled_kinds() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_unhandled_kinds(with));
    });
}

report operations::stats() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::show_stats(with));
    });
}

report operations::list_cures(const cure_thresholds& many) {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_cures(with, many));
    });
}

result<report> operations::query(const statement& asked) {
    return api::as_result([&] {
        return on_connection(client_, [&](const store::session& with) {
            return api::make_report(api::exec_statement(with.on, with.schema, asked));
        });
    });
}

result<report> operations::query_audited(std::string_view action, std::string_view target,
                                         std::string_view detail, const statement& asked) {
    return api::as_result([&] {
        return on_connection(client_, [&](const store::session& with) {
            return api::make_report(
                api::exec_audited(with.on, with.schema, {action, target, detail}, asked));
        });
    });
}

void operations::run_cure(const std::string& command) {
    on_connection(client_, [&](const store::session& with) {
        // Before it and not with it: it cannot run inside a transaction.
        api::record_action(with.on, with.schema, {"tables.cure", command, ""});
        store::run_cure(with, command);
    });
}

}  // namespace libqueue
