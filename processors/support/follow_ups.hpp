#pragma once

#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors {

/// Makes the handlers of these kinds enqueue what a payload names under `then`, in the transaction
/// that records the job as completed: each step of a chain exists exactly when the one before has
/// happened.
///
///   "then": [{"kind": "email.send", "payload": {...}, "with_output": "payment",
///             "queue": "communication", "priority": 5, "max_attempts": 3, "delay_ms": 60000,
///             "idempotency_key": "mail:7"}]
///
/// `kind` and `payload` (an object) are required; at most 100 entries. `with_output` is the member
/// of that payload which becomes this job's output, or says which parts of it go where:
/// {"variables.mint_address": "address"}; what is not there is null. A follow-up has the tenant,
/// the trace and the subject of the job it follows. A payload of its own may have `then` again.
///
/// A fault in `then` discards the job before its handler runs. Payloads without it cost a search
/// for the word. The handlers given must not be changed afterwards.
[[nodiscard]] std::vector<registration> with_follow_ups(std::vector<registration> kinds);

}  // namespace libqueue::processors
