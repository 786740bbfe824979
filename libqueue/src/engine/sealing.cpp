#include "engine/sealing.hpp"

#include "engine/runtime.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace libqueue::engine {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_wait{10'000};
constexpr milliseconds longest_wait{3'600'000};

/// A quarter of the job's age: a key that was to arrive a moment later is soon looked for again,
/// and a job that waits for weeks leaves few rows of history.
milliseconds wait_for_key(const libqueue::job& job) {
    const auto age =
        std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now() - job.created_at);
    return std::clamp(age / 4, first_wait, longest_wait);
}

void report_missing(const job_run& run, std::string_view why, const runtime& shared) {
    event e{event_type::key_missing};
    e.job = &run.job;
    e.worker = shared.worker_id;
    e.message = why;
    shared.emit(e);
}

seal_owner owner_of(const job_run& run, sealed_part part) {
    return seal_owner{run.job.id, run.job.kind, run.job.tenant_id, part};
}

}  // namespace

std::optional<outcome> open_payload(job_run& run, const runtime& shared) {
    const auto& keys = shared.options.keyring;
    auto opened = keys != nullptr
                      ? keys->open(owner_of(run, sealed_part::payload), run.job.payload)
                      : result<std::string>{error{errc::not_found, "this worker has no keyring"}};
    if (opened.has_value()) {
        run.sealed = true;
        run.job.payload = std::move(*opened);
        return std::nullopt;
    }
    const error& why = opened.error();
    if (why.code == errc::invalid_payload) {
        const std::string message = "the payload cannot be opened: " + why.message;
        return run.job.reconcile ? unknown(message) : discard(message);
    }
    report_missing(run, why.message, shared);
    return snooze(wait_for_key(run.job), "waits for a key: " + why.message);
}

std::string sealed_output(const job_run& run, const std::string& output, const runtime& shared) {
    auto sealed = seal_part(run, sealed_part::output, output, shared.options);
    if (sealed.has_error()) {
        report_missing(run, "its output is not kept: " + sealed.error().message, shared);
        return {};
    }
    return std::move(*sealed);
}

result<std::string> seal_part(const job_run& run, sealed_part part, std::string json,
                              const worker_options& options) {
    if (!run.sealed && !run.kind->handler->options.encrypted) {
        return json;
    }
    return options.keyring->seal(owner_of(run, part), json);
}

result<std::string> open_part(const job_run& run, sealed_part part, std::string text,
                              const worker_options& options) {
    if (!is_sealed(text) || options.keyring == nullptr) {
        return text;
    }
    return options.keyring->open(owner_of(run, part), text);
}

}  // namespace libqueue::engine
