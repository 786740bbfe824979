#include "commands/commands.hpp"
#include "commands/waiting.hpp"
#include "faults.hpp"
#include "job_flags.hpp"
#include "json_members.hpp"
#include "payload.hpp"
#include "row_builder.hpp"

#include <libqueue/error.hpp>

namespace qctl {

namespace {

using libqueue::new_job;

libqueue::report answer_row(const libqueue::enqueued& answer) {
    row_builder row;
    row.integer("id", answer.id)
        .boolean("duplicate", answer.duplicate)
        .json("output", answer.output);
    return row.done();
}

// What a dry run would have enqueued. Names are those of queue.enqueue's arguments.
libqueue::report planned_row(const new_job& job) {
    row_builder row;
    row.boolean("dry_run", true).text("kind", job.kind).json("payload", job.payload);
    if (job.queue) {
        row.text("queue", job.queue);
    }
    if (job.priority) {
        row.integer("priority", *job.priority);
    }
    if (job.run_at) {
        row.time("run_at", job.run_at);
    }
    if (job.delay) {
        row.time("run_at", system_now() + *job.delay);
    }
    if (job.idempotency_key) {
        row.text("idempotency_key", job.idempotency_key);
    }
    if (job.max_attempts) {
        row.integer("max_attempts", *job.max_attempts);
    }
    if (job.tenant_id) {
        row.text("tenant_id", job.tenant_id);
    }
    if (!job.meta.empty()) {
        row.json("meta", job.meta);
    }
    return row.done();
}

void print_answer(context& with, const libqueue::enqueued& answer) {
    const auto format = with.options.format;
    if (format == output_format::table || format == output_format::wide) {
        write_output(std::to_string(answer.id) + '\n');
    } else {
        with.print_object(answer_row(answer));
    }
    flush_output();
    if (answer.duplicate) {
        with.notes.note("the key was known: this is the job enqueued first");
    } else {
        with.notes.note("enqueued; qctl jobs show " + std::to_string(answer.id) +
                        " tells how it goes");
    }
}

exit_code wait_for(context& with, const libqueue::enqueued& answer) {
    const auto given = with.call.text("wait").value_or("");
    const auto limit =
        given.empty() ? with.waiting_time(default_wait) : read_duration(given, "--wait");
    auto job = with.jobs().wait(answer.id, limit);
    if (!job) {
        throw to_stop(job.error());
    }
    row_builder row;
    row.integer("id", answer.id)
        .boolean("duplicate", answer.duplicate)
        .text("state", std::string{libqueue::to_string(job->state)})
        .integer("attempt", job->attempt)
        .json("output", job->output)
        .text("last_error", job->last_error)
        .time("finished_at", job->finished_at);
    const auto format = with.options.format;
    if (format == output_format::table) {
        write_output(std::to_string(answer.id) + '\n');
    } else {
        with.print_object(row.done());
    }
    flush_output();
    with.notes.note("job " + std::to_string(answer.id) + " is " +
                    std::string{libqueue::to_string(job->state)});
    if (auto fault = wait_fault(*job, limit)) {
        throw std::move(*fault);
    }
    return exit_code::ok;
}

}  // namespace

exit_code run_enqueue(context& with) {
    auto job = job_from_flags(with.call);
    if (job.kind.empty()) {
        throw usage("enqueue: expected KIND, got nothing", "qctl enqueue --help");
    }
    if (with.call.arguments.size() > 1) {
        job.payload = read_payload(with.call.arguments[1], "PAYLOAD");
    }
    if (with.options.dry_run) {
        if (!is_json(job.payload)) {
            throw usage("PAYLOAD: expected one JSON value");
        }
        with.print_object(planned_row(job));
        return exit_code::ok;
    }
    auto answer = with.jobs().enqueue(job);
    if (!answer) {
        throw to_stop(answer.error());
    }
    if (with.call.has("wait")) {
        return wait_for(with, *answer);
    }
    print_answer(with, *answer);
    return exit_code::ok;
}

}  // namespace qctl
