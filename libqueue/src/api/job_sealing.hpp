#pragma once

#include "pg/connection.hpp"
#include "store/operator_store.hpp"

#include <libqueue/client.hpp>
#include <libqueue/encryption.hpp>
#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// What a client does for encrypted kinds. Errors are thrown as domain_failure.

namespace libqueue::api {

/// Throws invalid_argument when kinds are to be sealed and there is nothing to do it with.
void check_sealing(const client_options& options);

/// The job must be sealed before it leaves the process, and is not yet.
[[nodiscard]] bool must_seal(const client_options& options, const new_job& job);

/// `job` with its payload sealed for `id`.
[[nodiscard]] new_job sealed_job(const keyring& keys, new_job job, job_id id);

/// The jobs as they may be sent; nothing when they may be as they are.
[[nodiscard]] std::optional<std::vector<new_job>> sealed_jobs(const client_options& options,
                                                              pg::connection& on,
                                                              std::span<const new_job> jobs);

/// Opens what can be opened; the rest stays sealed, as whoever has no key sees it.
void open_what_is_sealed(const client_options& options, job_info& job);
void open_output(const client_options& options, const new_job& of, enqueued& answer);

/// Replays dead letters as new jobs, those of encrypted kinds with payloads sealed for them. In a
/// transaction of its own; returns how many.
[[nodiscard]] std::int64_t replay_anew(const keyring& keys, const store::session& with,
                                       std::vector<job_id> ids, const replay_options& options,
                                       const store::sweep& all, std::int64_t done);

}  // namespace libqueue::api
