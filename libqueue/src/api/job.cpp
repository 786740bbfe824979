#include <libqueue/job.hpp>

namespace libqueue {

std::string_view to_string(job_state state) noexcept {
    switch (state) {
        case job_state::scheduled:
            return "scheduled";
        case job_state::ready:
            return "ready";
        case job_state::running:
            return "running";
        case job_state::retrying:
            return "retrying";
        case job_state::completed:
            return "completed";
        case job_state::cancelled:
            return "cancelled";
        case job_state::dead:
            return "dead";
    }
    return "invalid";
}

std::optional<job_state> parse_job_state(std::string_view text) noexcept {
    for (const job_state state :
         {job_state::scheduled, job_state::ready, job_state::running, job_state::retrying,
          job_state::completed, job_state::cancelled, job_state::dead}) {
        if (text == to_string(state)) {
            return state;
        }
    }
    return std::nullopt;
}

}  // namespace libqueue
