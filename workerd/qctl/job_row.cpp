#include "job_row.hpp"

#include "row_builder.hpp"

namespace qctl {

libqueue::report job_row(const libqueue::job_info& job) {
    row_builder row;
    row.integer("id", job.id)
        .text("tenant_id", job.tenant_id)
        .text("queue", job.queue)
        .text("kind", job.kind)
        .text("state", std::string{libqueue::to_string(job.state)})
        .integer("priority", job.priority)
        .integer("attempt", job.attempt)
        .integer("max_attempts", job.max_attempts)
        .json("payload", job.payload)
        .json("output", job.output)
        .time("run_at", job.run_at)
        .time("created_at", job.created_at)
        .time("finished_at", job.finished_at)
        .text("last_error", job.last_error)
        .json("meta", job.meta.empty() ? std::nullopt : std::optional{job.meta});
    return row.done();
}

bool has_ended(libqueue::job_state state) noexcept {
    using libqueue::job_state;
    return state == job_state::completed || state == job_state::cancelled ||
           state == job_state::dead;
}

}  // namespace qctl
