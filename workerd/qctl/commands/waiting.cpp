#include "commands/waiting.hpp"

#include "job_row.hpp"

#include <libqueue/duration.hpp>

#include <string>

namespace qctl {

std::optional<stop> wait_fault(const libqueue::job_info& job, std::chrono::milliseconds limit) {
    const std::string which = "job " + std::to_string(job.id);
    const std::string state{libqueue::to_string(job.state)};
    if (!has_ended(job.state)) {
        return stop{exit_code::timed_out, "timed_out",
                    which + " is still " + state + " after " + libqueue::format_duration(limit),
                    "qctl jobs explain " + std::to_string(job.id) + " tells why"};
    }
    if (job.state != libqueue::job_state::completed) {
        const std::string why = job.last_error ? ": " + *job.last_error : std::string{};
        return stop{exit_code::failed, "job_" + state, which + " is " + state + why};
    }
    return std::nullopt;
}

}  // namespace qctl
