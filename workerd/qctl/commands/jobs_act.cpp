#include "commands/commands.hpp"
#include "faults.hpp"
#include "row_builder.hpp"

#include <functional>

namespace qctl {

namespace {

using libqueue::job_id;

/// What became of one id: a word for the column `result`, or why not.
using action = std::function<libqueue::result<std::string>(job_id)>;

// Acts on every id given. A failure of one does not keep the others from their turn.
exit_code act_on_each(context& with, const action& act) {
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
            row.text("result", *answer).text("error", std::nullopt);
            ++done;
        } else {
            refused = to_stop(answer.error());
            row.text("result", "failed").text("error", answer.error().message);
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
libqueue::result<std::string> look_at(context& with, job_id id, const std::string& verb) {
    const auto job = with.jobs().get(id);
    if (!job) {
        return job.error();
    }
    return "would " + verb + " (" + std::string{libqueue::to_string(job->state)} + ")";
}

}  // namespace

exit_code run_jobs_retry(context& with) {
    return act_on_each(with, [&](job_id id) -> libqueue::result<std::string> {
        if (with.options.dry_run) {
            return look_at(with, id, "retry");
        }
        const auto done = with.jobs().retry(id);
        return done ? libqueue::result<std::string>{"retried"} : done.error();
    });
}

exit_code run_jobs_cancel(context& with) {
    const auto reason = with.call.text("reason").value_or("");
    return act_on_each(with, [&](job_id id) -> libqueue::result<std::string> {
        if (with.options.dry_run) {
            return look_at(with, id, "cancel");
        }
        const auto done = with.jobs().cancel(id, reason);
        if (!done) {
            return done.error();
        }
        return std::string{*done ? "cancelled" : "asked to cancel"};
    });
}

}  // namespace qctl
