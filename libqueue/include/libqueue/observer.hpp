#pragma once

#include <libqueue/job.hpp>
#include <libqueue/measures.hpp>
#include <libqueue/outcome.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace libqueue {

/// Something worth a log line or a counter. Which fields are set depends on the event.
enum class event_type {
    worker_started,         ///< registered in the database; `worker`
    worker_ready,           ///< first claim turn done
    worker_lost,            ///< declared dead by others: all its runs were told `lease_lost`
    worker_draining,        ///<
    worker_asked,           ///< by an operator: `message` is quiet, drain, stop or resume
    worker_dismissed,       ///< asked to stop, or to drain and nothing is left: call worker::stop
    worker_stopped,         ///<
    database_lost,          ///< `message`; the worker reconnects by itself
    database_back,          ///<
    job_started,            ///<
    job_finished,           ///< `outcome`, `duration`, `message` on failure
    job_timed_out,          ///< the handler was told; `job_finished` follows
    job_dead,               ///< moved to the dead letters; `message` is the reason
    lease_lost,             ///< a finish was refused by the fence
    jobs_rescued,           ///< `count` jobs of worker `other_worker` went back in line
    suspects_waiting,       ///< some stand in line that this worker leaves to others
    suspects_cleared,       ///< none is left in line for this worker, which runs nothing else
    job_cancel_asked,       ///< a running handler was told to stop
    schema_migrated,        ///< `count` migrations applied
    output_unstorable,      ///< a handler's output or error had to be made storable
    internal_error,         ///< a loop failed and goes on; `message`
    schedules_fired,        ///< `count` jobs were enqueued by schedules
    schedule_failed,        ///< `count` slots could not be fired; `message` says why of one
    batches_ended,          ///< `count` batches: all their jobs have ended
    batch_callback_failed,  ///< could not be enqueued; `message` says why of one
    server_unsafe,          ///< the server may lose what it acknowledged; `message` says why
    audit_anchor,           ///< head of the audit once an hour, ID:HASH; `message`
    key_missing,   ///< a job waits, or its output was not kept, for want of a key; `message`
    jobs_claimed,  ///< a turn that asked for jobs got `count`; `duration` of its round trip
    job_measured,  ///< a handler counted something, told with the end of its run; `measured`
    call_made,     ///< a handler sent a request, told with the end of its run; `call`
};

[[nodiscard]] std::string_view to_string(event_type type) noexcept;

/// Views are valid only during the call.
class event {
   public:
    explicit event(event_type type_) : type{type_} {}

    event_type type;
    std::int64_t worker{0};
    std::int64_t other_worker{0};
    const libqueue::job* job{nullptr};
    libqueue::outcome::type outcome{libqueue::outcome::type::completed};
    std::chrono::microseconds duration{0};  ///< of the run
    /// From due to started, of `job_finished`. By this host's clock against the database's times:
    /// wrong by what they differ, and never below 0.
    std::chrono::microseconds waited{0};
    std::int64_t count{0};
    const libqueue::measure* measured{nullptr};
    const libqueue::outbound_call* call{nullptr};
    std::string_view message;
};

/// Receives events on the worker's loop thread; must not block or throw. The library itself
/// writes no logs.
class observer {
   public:
    observer() = default;
    observer(const observer&) = delete;
    observer& operator=(const observer&) = delete;
    virtual ~observer() = default;
    virtual void on_event(const event& e) noexcept = 0;
    /// Return false to be spared `job_started` and successful `job_finished` (hot at 100 k jobs/s),
    /// `jobs_claimed`, `job_measured` and `call_made`. Asked when the worker starts.
    [[nodiscard]] virtual bool wants_every_job() const noexcept { return true; }
    /// Return false to be spared `job_started` alone. Asked when the worker starts.
    [[nodiscard]] virtual bool wants_starts() const noexcept { return true; }
    /// The trace context (`traceparent` of W3C Trace Context, or empty) that a run's requests and
    /// follow-up jobs carry; `enqueued` is the one its job was enqueued with, or empty. Who traces
    /// makes each run a span of its own and answers with that. Called from any thread, as often as
    /// handlers ask; must give the same answer for the same run.
    [[nodiscard]] virtual std::string trace_run(const libqueue::job& run,
                                                std::string_view enqueued) const {
        static_cast<void>(run);
        return std::string{enqueued};
    }
};

}  // namespace libqueue
