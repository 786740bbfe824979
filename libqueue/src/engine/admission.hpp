#pragma once

#include "engine/queue_state.hpp"
#include "pg/params.hpp"
#include "pg/result.hpp"

namespace libqueue::engine {

/// One look at the keys of a queue (queue.admit_keys), carried by a turn before its claims, so that
/// what it puts in line is claimed by the same transaction. Loop thread only.
class admission {
   public:
    admission(queue_state& queue, clock::time_point now);

    /// A key came free in a turn of ours: somebody must look, even when we claim nothing.
    static void owe(queue_state& queue) noexcept;
    /// Somebody must look now, whether or not a claim is due.
    [[nodiscard]] static bool owed(const queue_state& queue, clock::time_point now) noexcept;

    [[nodiscard]] pg::params params() const;
    /// What the answer says about the queue's next look.
    void accept(const pg::result& row, clock::time_point sent_at);

   private:
    queue_state* queue_;
    bool whole_;
};

}  // namespace libqueue::engine
