#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

#include <cstdint>
#include <string_view>

namespace libqueue {

/// What an operator may ask of one worker process.
enum class worker_wish {
    quiet,   ///< claims nothing; what it runs finishes
    drain,   ///< claims nothing, and leaves once it runs nothing
    stop,    ///< leaves as at SIGTERM
    resume,  ///< goes on after `quiet` or `drain`
};

[[nodiscard]] std::string_view to_string(worker_wish value) noexcept;

/// Worker processes one by one; `operations::list_workers` lists them. Uses the client's
/// connection: one thread at a time, and the client must outlive it. An unknown worker is
/// `not_found`; a database that is away throws `failure`.
class worker_control {
   public:
    explicit worker_control(client& connection) noexcept : client_{connection} {}

    /// The columns of `operations::list_workers`, then ended (how it died; NULL: it did not),
    /// heartbeat_ms, lease_ms, and jobs: the ids of what it runs now.
    [[nodiscard]] result<report> show(std::int64_t worker);
    /// The worker hears of it with its next heartbeat; nothing is waited for. The last wish counts,
    /// but nothing comes after `stop`. `conflict` for one that is leaving, or gives no sign of
    /// life.
    [[nodiscard]] result<void> ask(std::int64_t worker, worker_wish wish);

   private:
    client& client_;
};

}  // namespace libqueue
