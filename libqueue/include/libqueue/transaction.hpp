#pragma once

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/statement.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// libpq's own connection type, forward-declared so that this header needs no libpq.
struct pg_conn;

namespace libqueue {

/// Enqueues on the caller's connection, inside whatever transaction is open there: the job exists
/// exactly when that transaction commits. Never begins, commits or rolls back. Blocks. The
/// connection must be idle between commands and not in pipeline mode (checked: `invalid_argument`).
///
/// A domain error inside an open transaction leaves it aborted, as any SQL error does; use a
/// savepoint to go on. A lost connection throws `failure`.
[[nodiscard]] result<enqueued> enqueue(pg_conn* connection, const new_job& job,
                                       std::string_view schema = "queue");
[[nodiscard]] result<std::vector<job_id>> enqueue_many(pg_conn* connection,
                                                       std::span<const new_job> jobs,
                                                       std::string_view schema = "queue");

/// The same as text for any other driver, or for `outcome::also`. It returns one row: id bigint,
/// duplicate boolean, output text.
[[nodiscard]] statement enqueue_statement(const new_job& job, std::string_view schema = "queue");

/// Asserts on the caller's connection, inside its transaction, that this run still holds its
/// lease; locks it so that the answer stays true until commit. A zombie's business writes
/// therefore cannot commit: roll back on `lease_lost`.
[[nodiscard]] result<void> assert_lease(pg_conn* connection, const job& running,
                                        std::string_view schema = "queue");

}  // namespace libqueue
