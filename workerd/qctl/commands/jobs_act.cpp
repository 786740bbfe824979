#include "commands/commands.hpp"
#include "faults.hpp"
#include "payload.hpp"
#include "row_builder.hpp"
#include "values.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace qctl {

namespace {

using libqueue::job_id;

/// What became of one id: a word for the column `result`, and the job that was made of it.
class outcome {
   public:
    explicit outcome(std::string word_) : word{std::move(word_)} {}
    outcome(std::string word_, job_id made_) : word{std::move(word_)}, made{made_} {}
    std::string word;
    std::optional<job_id> made;
};

/// Or why not.
using action = std::function<libqueue::result<outcome>(job_id)>;

// Acts on every id given. A failure of one does not keep the others from their turn.
exit_code act_on_each(context& with, const action& act, bool makes_jobs = false) {
    libqueue::report all;
    std::optional<stop> refused;
    std::size_t done = 0;
    const auto& ids = with.call.arguments;
    for (const auto& argument : ids) {
        const auto id = read_id(argument, "ID");
        const auto answer = act(id);
        row_builder row;
        row.integer("id", id);
        if (answer) {
            row.text("result", answer->word).text("error", std::nullopt);
            ++done;
        } else {
            refused = to_stop(answer.error());
            row.text("result", "failed").text("error", answer.error().message);
        }
        if (makes_jobs) {
            row.integer("new_id", answer ? answer->made : std::nullopt);
        }
        append_rows(all, row.done());
    }
    if (ids.size() > 1) {
        with.print_list(all);
    } else if (done == 1) {
        with.print_result("job " + ids[0] + ": " + all.rows[0][1].value_or(""), all);
    }
    flush_output();
    if (!refused) {
        return exit_code::ok;
    }
    if (ids.size() == 1) {
        throw std::move(*refused);
    }
    const auto left = std::to_string(ids.size() - done) + " of " + std::to_string(ids.size());
    throw stop{done > 0 ? exit_code::partly_done : refused->exit, refused->code,
               left + " failed, the last: " + refused->what(), refused->hint};
}

// A dry run tells where the job stands; whether it can be moved shows only when it is.
libqueue::result<outcome> look_at(context& with, job_id id, const std::string& verb) {
    const auto job = with.jobs().get(id);
    if (!job) {
        return job.error();
    }
    return outcome{"would " + verb + " (" + std::string{libqueue::to_string(job->state)} + ")"};
}

libqueue::result<outcome> said(const libqueue::result<void>& done, const std::string& word) {
    return done ? libqueue::result<outcome>{outcome{word}} : done.error();
}

libqueue::result<outcome> said(const libqueue::result<job_id>& made, const std::string& word) {
    return made ? libqueue::result<outcome>{outcome{word + " as job " + std::to_string(*made),
                                                    *made}}
                : made.error();
}

std::optional<std::string> edited_payload(const invocation& call) {
    const auto edit = call.text("edit");
    return edit ? std::optional{read_payload(*edit, "--edit")} : std::nullopt;
}

// A time given as one or as a duration from now on.
std::optional<libqueue::time_point> time_from(const invocation& call, const std::string& at,
                                              const std::string& in) {
    if (call.has(at) && call.has(in)) {
        throw usage("--" + at + " and --" + in + ": expected at most one of them, got both");
    }
    if (const auto time = call.text(at)) {
        return read_time(*time, "--" + at);
    }
    if (const auto wait = call.text(in)) {
        return system_now() + read_duration(*wait, "--" + in);
    }
    return std::nullopt;
}

}  // namespace

exit_code run_jobs_retry(context& with) {
    const auto payload = edited_payload(with.call);
    return act_on_each(
        with,
        [&](job_id id) -> libqueue::result<outcome> {
            if (with.options.dry_run) {
                return look_at(with, id, "retry");
            }
            return payload ? said(with.jobs().retry_edited(id, *payload), "retried")
                           : said(with.jobs().retry(id), "retried");
        },
        payload.has_value());
}

exit_code run_jobs_run_now(context& with) {
    return act_on_each(with, [&](job_id id) -> libqueue::result<outcome> {
        return with.options.dry_run ? look_at(with, id, "make due")
                                    : said(with.jobs().run_now(id), "due");
    });
}

exit_code run_jobs_snooze(context& with) {
    const auto until = time_from(with.call, "until", "for");
    if (!until) {
        throw usage("jobs snooze: expected --for or --until, got neither");
    }
    return act_on_each(with, [&](job_id id) -> libqueue::result<outcome> {
        return with.options.dry_run
                   ? look_at(with, id, "snooze")
                   : said(with.jobs().snooze(id, *until), "waits until " + iso_instant(*until));
    });
}

exit_code run_jobs_clone(context& with) {
    libqueue::clone_changes changes;
    changes.payload = edited_payload(with.call);
    changes.run_at = time_from(with.call, "at", "in");
    if (const auto priority = with.call.text("priority")) {
        changes.priority = static_cast<int>(read_integer(*priority, "--priority", -32768, 32767));
    }
    return act_on_each(
        with,
        [&](job_id id) -> libqueue::result<outcome> {
            return with.options.dry_run ? look_at(with, id, "clone")
                                        : said(with.jobs().clone(id, changes), "cloned");
        },
        true);
}

exit_code run_jobs_cancel(context& with) {
    const auto reason = with.call.text("reason").value_or("");
    return act_on_each(with, [&](job_id id) -> libqueue::result<outcome> {
        if (with.options.dry_run) {
            return look_at(with, id, "cancel");
        }
        const auto done = with.jobs().cancel(id, reason);
        if (!done) {
            return done.error();
        }
        return outcome{*done ? "cancelled" : "asked to cancel"};
    });
}

}  // namespace qctl
