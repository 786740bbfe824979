#include "commands/commands.hpp"
#include "commands/waiting.hpp"
#include "faults.hpp"
#include "job_row.hpp"
#include "printable.hpp"
#include "row_builder.hpp"

#include <libqueue/run_records.hpp>

#include <algorithm>
#include <thread>

namespace qctl {

namespace {

using clock = std::chrono::steady_clock;
using libqueue::report;

constexpr std::chrono::milliseconds shortest_pause{50};
constexpr std::chrono::milliseconds longest_pause{1'000};
constexpr std::chrono::milliseconds for_ever = std::chrono::hours{24 * 3'650};

enum log_column : std::size_t { col_attempt, col_lease, col_line, col_at, col_level, col_message };

/// Lines as they come: for people one below the other, for programs in their format.
class log_printer {
   public:
    explicit log_printer(context& with)
        : with_{with},
          to_{with.renderer()},
          people_{with.options.columns.empty() && (with.options.format == output_format::table ||
                                                   with.options.format == output_format::wide)} {}

    void print(const report& lines) {
        if (!people_) {
            write_output(to_.add(lines));
        }
        for (const auto& line : lines.rows) {
            if (people_) {
                write_output(printable(line[col_at].value_or("")) + "  " +
                             level_text(line[col_level].value_or("")) + "  " +
                             printable(line[col_message].value_or("")) + '\n');
            }
        }
        flush_output();
    }
    void finish() {
        if (!people_) {
            write_output(to_.finish());
        }
        flush_output();
    }

   private:
    static std::string level_text(const std::string& level) {
        constexpr std::size_t widest{8};  // progress
        return level + std::string(widest - std::min(widest, level.size()), ' ');
    }

    context& with_;
    list_renderer to_;
    bool people_;
};

/// A change of the progress as one more line.
class progress_watch {
   public:
    [[nodiscard]] std::optional<std::vector<std::optional<std::string>>> changed(
        const report& now) {
        if (now.rows.empty() || now.rows[0] == last_) {
            return std::nullopt;
        }
        last_ = now.rows[0];
        const int percent = static_cast<int>(std::stod(last_.at(1).value_or("0")) * 100);
        const std::string text = last_.at(2).value_or("");
        return std::vector<std::optional<std::string>>{
            std::nullopt, std::nullopt,
            std::nullopt, last_.at(0),
            "progress",   std::to_string(percent) + "%" + (text.empty() ? "" : " " + text)};
    }

   private:
    std::vector<std::optional<std::string>> last_;
};

void go_on_behind(libqueue::log_filter& filter, const report& lines) {
    filter.tail.reset();
    if (!lines.rows.empty()) {
        filter.after_lease = std::stoll(lines.rows.back().at(col_lease).value());
        filter.after_line = std::stoi(lines.rows.back().at(col_line).value());
    }
}

void follow(context& with, libqueue::job_id id, libqueue::log_filter filter, log_printer& to) {
    auto records = with.records();
    progress_watch progress;
    const auto limit = with.waiting_time(for_ever);
    const auto deadline = clock::now() + std::min(limit, for_ever);
    auto pause = shortest_pause;
    while (true) {
        // The state first: the last lines are there when the end is.
        const auto job = with.jobs().get(id);
        if (!job) {
            throw to_stop(job.error());
        }
        report lines = records.log(id, filter);
        go_on_behind(filter, lines);
        if (auto changed = progress.changed(records.progress(id))) {
            lines.rows.push_back(std::move(*changed));
        }
        pause = lines.rows.empty() ? std::min(pause * 2, longest_pause) : shortest_pause;
        to.print(lines);
        const auto left = deadline - clock::now();
        if (has_ended(job->state) || left <= clock::duration::zero()) {
            to.finish();
            if (auto fault = wait_fault(*job, limit)) {
                throw std::move(*fault);
            }
            return;
        }
        std::this_thread::sleep_for(std::min<clock::duration>(pause, left));
    }
}

/// What a dry run can tell without asking for it.
void require_open(const report& effects, libqueue::job_id id, const std::string& step) {
    const auto found = std::ranges::find_if(
        effects.rows, [&](const auto& row) { return row.at(0).value_or("") == step; });
    const std::string which = "step " + printable(step) + " of job " + std::to_string(id);
    if (found == effects.rows.end()) {
        throw stop{exit_code::not_found, "not_found", which + " was never begun"};
    }
    if (found->at(1).value_or("") != "begun") {
        throw stop{exit_code::refused, "conflict",
                   which + ": expected begun, it is " + found->at(1).value_or("")};
    }
}

}  // namespace

exit_code run_jobs_logs(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    libqueue::log_filter filter;
    if (const auto attempt = with.call.text("attempt")) {
        filter.attempt = static_cast<int>(read_integer(*attempt, "--attempt", 1, 1'000));
    }
    if (const auto tail = with.call.text("tail")) {
        filter.tail = static_cast<int>(read_integer(*tail, "--tail", 0, 1'000'000));
    }
    log_printer to{with};
    if (with.call.has("follow")) {
        follow(with, id, filter, to);
        return exit_code::ok;
    }
    if (const auto job = with.jobs().get(id); !job) {
        throw to_stop(job.error());
    }
    auto records = with.records();
    const report lines = records.log(id, filter);
    to.print(lines);
    to.finish();
    if (lines.rows.empty()) {
        with.notes.note("the job's runs said nothing");
    }
    return exit_code::ok;
}

exit_code run_jobs_effects(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    if (const auto job = with.jobs().get(id); !job) {
        throw to_stop(job.error());
    }
    auto records = with.records();
    const report effects = records.effects(id);
    with.print_list(effects);
    flush_output();
    if (effects.rows.empty()) {
        with.notes.note("the job began no effect");
    }
    return exit_code::ok;
}

exit_code run_jobs_resolve(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    const std::string& step = with.call.arguments[1];
    const std::string& what = with.call.arguments[2];
    if (what != "happened" && what != "not-happened") {
        throw stop{exit_code::usage, "usage",
                   "WHAT: expected happened or not-happened, got '" + printable(what) + "'"};
    }
    const bool happened = what == "happened";
    std::string state{happened ? "committed" : "abandoned"};
    auto records = with.records();
    if (with.options.dry_run) {
        require_open(records.effects(id), id, step);
        state.insert(0, "would be ");
    } else if (const auto resolved = records.resolve_effect(id, step, happened,
                                                            with.call.text("result").value_or(""));
               !resolved) {
        throw to_stop(resolved.error());
    }
    row_builder row;
    row.integer("id", id).text("step", step).text("state", state);
    with.print_result("effect " + printable(step) + " of job " + std::to_string(id) + ": " + state,
                      row.done());
    return exit_code::ok;
}

}  // namespace qctl
