#include "archive_file.hpp"
#include "commands/commands.hpp"
#include "confirm.hpp"
#include "faults.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "row_builder.hpp"

#include <libqueue/archives.hpp>

#include <filesystem>
#include <optional>
#include <vector>

// Export in a folder: a row goes to a new file unless one of the folder's holds it. A file that is
// whole is the only ground on which rows are removed, so a crash at any point leaves a row in the
// archive, in a file, or in both.

namespace qctl {

namespace {

using libqueue::job_id;

constexpr std::size_t remove_batch = 500;
constexpr std::int64_t rows_default = 100'000;

template <typename Value>
Value unwrapped(libqueue::result<Value> answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
    return std::move(*answer);
}

class export_plan {
   public:
    explicit export_plan(const invocation& call) : filter{call.arguments[0]} {
        filter.kind = call.text("kind");
        if (const auto before = call.text("before")) {
            filter.before = read_past(*before, "--before", system_now());
        }
        const auto wanted = call.text("format").value_or("jsonl");
        const auto known = parse_archive_format(wanted);
        if (!known) {
            throw usage("--format: expected jsonl or csv, got " + in_quotes(wanted));
        }
        format = *known;
        if (const auto text = call.text("rows")) {
            rows = read_integer(*text, "--rows", 1, 1'000'000);
        }
        remove = call.has("remove");
        read_target(call);
    }

    libqueue::archived_filter filter;
    archive_format format{archive_format::jsonl};
    std::int64_t rows{rows_default};
    bool remove{false};
    std::string folder;
    std::string file;  ///< the one file; empty: files named by their ids

   private:
    void read_target(const invocation& call) {
        const auto to = call.text("to");
        if (!to || to->empty()) {
            throw usage("archive export: expected --to PATH, got none",
                        "a folder that exists, or the name of a new file in one");
        }
        std::error_code fault;
        const std::filesystem::path target{*to};
        if (std::filesystem::is_directory(target, fault)) {
            folder = *to;
            return;
        }
        const auto parent = target.has_parent_path() ? target.parent_path() : ".";
        if (!target.has_filename() || !std::filesystem::is_directory(parent, fault)) {
            throw usage("--to: expected a folder that exists, got " + in_quotes(*to));
        }
        if (std::filesystem::exists(std::filesystem::symlink_status(target, fault))) {
            throw stop{exit_code::refused, "exists", "--to: " + printable(*to) + " exists",
                       "a file is never replaced: name another, or a folder"};
        }
        if (call.has("rows")) {
            throw usage("--rows: expected a folder as --to, got one file");
        }
        folder = parent.string();
        file = target.filename().string();
    }
};

class exporter {
   public:
    exporter(context& with, const export_plan& plan)
        : with_{with},
          plan_{plan},
          archives_{with.client()},
          folder_{plan.folder, plan.filter.archive, plan.format} {}

    /// False when it was interrupted.
    bool run(std::int64_t total) {
        progress_bar bar{with_.options, "exporting"};
        auto filter = plan_.filter;
        while (!interrupted()) {
            const auto page = unwrapped(archives_.jobs(filter));
            if (page.rows.empty()) {
                close();
                remove_known();
                return true;
            }
            for (std::size_t row = 0; row < page.rows.size(); ++row) {
                take(page, row);
            }
            filter.after = id_at(page, page.rows.size() - 1);
            bar.update(written + known, total);
        }
        return false;
    }

    std::int64_t written{0};
    std::int64_t known{0};
    std::int64_t files{0};
    std::int64_t removed{0};

   private:
    static job_id id_at(const libqueue::report& page, std::size_t row) {
        return read_id(page.rows[row][0].value_or(""), "id");
    }

    void take(const libqueue::report& page, std::size_t row) {
        const auto id = id_at(page, row);
        const auto record = archive_record(page, row, plan_.format);
        if (plan_.file.empty() && folder_.holds(id, record)) {
            ++known;
            in_files_.push_back(id);
            if (in_files_.size() >= remove_batch) {
                remove_known();
            }
            return;
        }
        if (!file_) {
            const auto name = plan_.file.empty() ? plan_.filter.archive : plan_.file;
            file_.emplace(plan_.folder,
                          "." + name + "." + std::string{to_string(plan_.format)} + ".part");
            file_->write(archive_header(page, plan_.format));
            first_ = id;
            in_file_ = 0;
        }
        file_->write(record);
        last_ = id;
        ++written;
        if (++in_file_ == plan_.rows && plan_.file.empty()) {
            close();
        }
    }

    /// Makes the file whole; then its rows may go.
    void close() {
        if (!file_) {
            return;
        }
        const auto name = plan_.file.empty() ? folder_.file_name(first_, last_) : plan_.file;
        file_->publish(name);
        file_.reset();
        ++files;
        if (plan_.remove) {
            // What is removed is what the file says, and no id that only memory had.
            read_archive_file((std::filesystem::path{plan_.folder} / name).string(), plan_.format,
                              [&](job_id id, std::string_view) {
                                  in_files_.push_back(id);
                                  if (in_files_.size() >= remove_batch) {
                                      remove_known();
                                  }
                              });
            remove_known();
        }
    }

    void remove_known() {
        if (plan_.remove && !in_files_.empty()) {
            removed += unwrapped(archives_.remove(plan_.filter.archive, in_files_));
        }
        in_files_.clear();
    }

    context& with_;
    const export_plan& plan_;
    libqueue::archives archives_;
    archive_folder folder_;
    std::optional<archive_writer> file_;
    job_id first_{0};
    job_id last_{0};
    std::int64_t in_file_{0};
    std::vector<job_id> in_files_;
};

std::string sentence(const exporter& done) {
    return "wrote " + counted(done.written, "job", "jobs") + " to " +
           counted(done.files, "file", "files") +
           (done.known > 0 ? ", " + std::to_string(done.known) + " were in files before" : "") +
           (done.removed > 0 ? ", removed " + std::to_string(done.removed) : "");
}

}  // namespace

exit_code run_archive_export(context& with) {
    const export_plan plan{with.call};
    const auto& name = plan.filter.archive;
    if (plan.remove) {
        demand_consent(with.options, danger::moderate, name);
    }
    libqueue::archives archives{with.client()};
    // Counting a large archive takes a while, and only people look at the sum.
    const bool shown = with.options.dry_run || with.options.can_ask();
    const auto total = shown ? unwrapped(archives.count(plan.filter)) : std::int64_t{0};
    row_builder row;
    if (with.options.dry_run) {
        row.text("archive", name).integer("jobs", total).boolean("dry_run", true);
        with.print_result(
            "would write " + counted(total, "job", "jobs") + ", but for those in files already",
            row.done());
        return exit_code::ok;
    }
    if (plan.remove) {
        ask_consent(with.options, danger::moderate, name,
                    "remove " + counted(total, "job", "jobs") + " from " + printable(name) +
                        " when they are in files");
    }
    const interrupt_guard guard;
    exporter run{with, plan};
    if (!run.run(total)) {
        throw stop{exit_code::interrupted, "interrupted", "interrupted; " + sentence(run),
                   "the same command goes on with the rest"};
    }
    row.text("archive", name)
        .integer("written", run.written)
        .integer("known", run.known)
        .integer("files", run.files)
        .integer("removed", run.removed);
    with.print_result(sentence(run), row.done());
    return exit_code::ok;
}

}  // namespace qctl
