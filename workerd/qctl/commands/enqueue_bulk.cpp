#include "bulk_line.hpp"
#include "commands/commands.hpp"
#include "faults.hpp"
#include "interrupt.hpp"
#include "job_flags.hpp"
#include "json_members.hpp"
#include "progress.hpp"
#include "row_builder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace qctl {

namespace {

using libqueue::new_job;

// As many as one statement of enqueue_many carries: a batch is one round trip and one commit.
constexpr std::size_t batch_size = 1'000;

class numbered_job {
   public:
    std::int64_t line;
    new_job job;
};

// Enqueues a file line by line and keeps count of how far it came.
class bulk_run {
   public:
    bulk_run(context& with, std::istream& from, std::int64_t bytes)
        : with_{with}, from_{from}, bytes_{bytes}, defaults_{job_from_flags(with.call)} {}

    void run() {
        // Gone again before anything else is printed.
        progress_bar bar{with_.options, "enqueueing"};
        while (!interrupted() && read_batch()) {
            if (with_.options.dry_run) {
                enqueued_ += static_cast<std::int64_t>(batch_.size());
                done_line_ = line_;
            } else if (!interrupted()) {
                send_batch();
            }
            batch_.clear();
            bar.update(enqueued_, expected_total());
        }
        if (bad_lines_ > 0) {
            throw usage("--bulk: " + counted(bad_lines_, "bad line", "bad lines"));
        }
        if (from_.bad()) {
            throw stop{exit_code::failed, "input",
                       std::string{"cannot read on: "} + std::strerror(errno)};
        }
    }

    [[nodiscard]] std::int64_t enqueued() const noexcept { return enqueued_; }
    [[nodiscard]] std::int64_t last_line() const noexcept { return done_line_; }

    [[nodiscard]] libqueue::report summary() const {
        row_builder row;
        row.integer("enqueued", with_.options.dry_run ? 0 : enqueued_)
            .integer("lines", done_line_)
            .boolean("dry_run", with_.options.dry_run);
        if (first_ > 0) {
            row.integer("first_id", first_).integer("last_id", last_);
        }
        return row.done();
    }

   private:
    // False at the end of the input. A bad line ends the batch before it, so that everything up to
    // it is enqueued and nothing behind it.
    bool read_batch() {
        if (pending_) {
            throw *std::exchange(pending_, std::nullopt);
        }
        std::string text;
        while (batch_.size() < batch_size && std::getline(from_, text)) {
            ++line_;
            read_bytes_ += static_cast<std::int64_t>(text.size()) + 1;
            if (line_ == 1 && text.starts_with("\xef\xbb\xbf")) {
                text.erase(0, 3);
            }
            if (is_blank(text)) {
                continue;
            }
            try {
                batch_.push_back(numbered_job{.line = line_, .job = read_line(text)});
            } catch (const stop& why) {
                if (!with_.options.dry_run) {
                    pending_ = at_line(line_, why);
                    return true;
                }
                report_bad(at_line(line_, why));
            }
        }
        return !batch_.empty();
    }

    // A file's lines are not counted beforehand: those to come are taken to be like those read.
    [[nodiscard]] std::int64_t expected_total() const noexcept {
        if (bytes_ == 0 || read_bytes_ == 0) {
            return 0;
        }
        const double lines = static_cast<double>(enqueued_) / static_cast<double>(read_bytes_);
        return std::max(enqueued_, static_cast<std::int64_t>(lines * static_cast<double>(bytes_)));
    }

    // A dry run looks at every line, but a file of the wrong form has one fault a million times.
    void report_bad(const stop& why) {
        constexpr std::int64_t most_shown = 20;
        if (++bad_lines_ <= most_shown) {
            with_.notes.warn(why.what());
        }
    }

    new_job read_line(const std::string& text) const {
        auto job = read_bulk_line(text, defaults_);
        if (with_.options.dry_run && !is_json(job.payload)) {
            throw usage("payload: expected one JSON value");
        }
        return job;
    }

    void send_batch() {
        if (batch_.empty()) {
            return;
        }
        std::vector<new_job> jobs;
        for (const auto& each : batch_) {
            jobs.push_back(each.job);
        }
        auto ids = with_.jobs().enqueue_many(jobs);
        if (!ids) {
            send_singly();
            return;
        }
        for (std::size_t i = 0; i < ids->size(); ++i) {
            accept(batch_[i].line, (*ids)[i]);
        }
    }

    // One of the batch was refused and with it all. Which one, only the database can say.
    void send_singly() {
        for (const auto& each : batch_) {
            auto answer = with_.jobs().enqueue(each.job);
            if (!answer) {
                throw at_line(each.line, to_stop(answer.error()));
            }
            accept(each.line, answer->id);
        }
    }

    void accept(std::int64_t line, libqueue::job_id id) {
        ++enqueued_;
        done_line_ = line;
        first_ = first_ == 0 ? id : first_;
        last_ = id;
        if (with_.options.format == output_format::id) {
            write_output(std::to_string(id) + '\n');
        } else if (with_.options.format == output_format::jsonl) {
            row_builder row;
            row.integer("line", line).integer("id", id);
            write_output(json_object(row.done(), 0) + '\n');
        }
    }

    static stop at_line(std::int64_t line, const stop& why) {
        return stop{why.exit, why.code, "line " + std::to_string(line) + ": " + why.what(),
                    why.hint};
    }

    context& with_;
    std::istream& from_;
    std::int64_t bytes_;
    new_job defaults_;
    std::vector<numbered_job> batch_;
    std::optional<stop> pending_;
    std::int64_t line_{0};
    std::int64_t bad_lines_{0};
    std::int64_t done_line_{0};
    std::int64_t read_bytes_{0};
    std::int64_t enqueued_{0};
    libqueue::job_id first_{0};
    libqueue::job_id last_{0};
};

void refuse_odd_flags(const invocation& call) {
    if (call.arguments.size() > 1) {
        throw usage("enqueue --bulk: unexpected argument PAYLOAD",
                    "with --bulk the payloads are the lines of the file");
    }
    if (call.has("unique-key")) {
        throw usage("--unique-key: cannot be the same for every line",
                    "leave out KIND and give each line its idempotency_key");
    }
    if (call.has("wait")) {
        throw usage("--wait: not with --bulk", "qctl jobs wait takes several ids");
    }
}

void finish(context& with, const bulk_run& run) {
    const auto format = with.options.format;
    if (format == output_format::id || format == output_format::jsonl) {
        return;
    }
    const auto count = counted(run.enqueued(), "job", "jobs");
    with.print_result(with.options.dry_run ? "would enqueue " + count : "enqueued " + count,
                      run.summary());
}

// After a fault: what stands in the queue now, and how to go on.
stop partly(const bulk_run& run, const stop& why) {
    const std::string done = counted(run.enqueued(), "job", "jobs") + " up to line " +
                             std::to_string(run.last_line()) + " enqueued";
    const std::string next = "go on with: tail -n +" + std::to_string(run.last_line() + 1);
    return stop{exit_code::partly_done, why.code, std::string{why.what()} + "; " + done,
                why.hint.empty() ? next : why.hint + "; " + next};
}

exit_code run_guarded(context& with, bulk_run& run) {
    try {
        const interrupt_guard guard;
        run.run();
    } catch (const stop& why) {
        throw run.enqueued() == 0 || with.options.dry_run ? why : partly(run, why);
    } catch (const libqueue::failure& why) {
        // Of the batch under way nothing is known if the connection was lost while it committed.
        throw run.enqueued() == 0 ? to_stop(why) : partly(run, to_stop(why));
    }
    finish(with, run);
    if (interrupted()) {
        throw stop{exit_code::interrupted, "interrupted",
                   "interrupted; " + counted(run.enqueued(), "job", "jobs") + " up to line " +
                       std::to_string(run.last_line()) + " enqueued",
                   "go on with: tail -n +" + std::to_string(run.last_line() + 1)};
    }
    return exit_code::ok;
}

}  // namespace

exit_code run_enqueue_bulk(context& with) {
    refuse_odd_flags(with.call);
    const auto path = with.call.text("bulk").value_or("-");
    if (path == "-") {
        // getline on unsynchronised streams reads blocks instead of characters.
        std::ios::sync_with_stdio(false);
        bulk_run run{with, std::cin, 0};
        return run_guarded(with, run);
    }
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    std::ifstream file{path, std::ios::binary};
    if (!file || std::filesystem::is_directory(path, error)) {
        throw usage("--bulk: cannot read " + in_quotes(path) + ": " +
                    (file ? "is a directory" : std::strerror(errno)));
    }
    bulk_run run{with, file, error ? 0 : static_cast<std::int64_t>(bytes)};
    return run_guarded(with, run);
}

}  // namespace qctl
