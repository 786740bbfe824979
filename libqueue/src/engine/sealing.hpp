#pragma once

#include "engine/job_run.hpp"
#include "engine/queue_state.hpp"

#include <libqueue/encryption.hpp>
#include <libqueue/outcome.hpp>

#include <optional>
#include <string>

namespace libqueue::engine {

class runtime;

// Encrypted kinds on their way through a worker. Loop thread.

/// The run's kind is encrypted, or its payload is sealed though its kind is not (any more, or not
/// here). All that other jobs pay: a flag and a comparison of the payload's first letters.
[[nodiscard]] inline bool concerns_sealing(const job_run& run) noexcept {
    return run.kind->handler->options.encrypted || is_sealed(run.job.payload);
}

/// Opens the payload in place. Otherwise what is to be said of the run, whose handler must not see
/// it: without its key (or not sealed at all) it waits and uses up no attempt, because keys come
/// late with a rotation; changed or moved it is discarded, and of a reconcile run the effect stays
/// unknown.
[[nodiscard]] std::optional<outcome> open_payload(job_run& run, const runtime& shared);

/// The output as it may be stored; empty when there is no key for it: it is then not kept, because
/// it must not be kept as it is.
[[nodiscard]] std::string sealed_output(const job_run& run, const std::string& output,
                                        const runtime& shared);

/// What a handler asks to be kept about its run (a checkpoint, the result of an effect), as it may
/// be stored: sealed when its run is, else as it is. Error: not_found, there is no key. Any thread.
[[nodiscard]] result<std::string> seal_part(const job_run& run, sealed_part part, std::string json,
                                            const worker_options& options);
/// The way back. What is not sealed stays as it is: it may be older than the encryption.
[[nodiscard]] result<std::string> open_part(const job_run& run, sealed_part part, std::string text,
                                            const worker_options& options);

}  // namespace libqueue::engine
