#include "store/new_job_check.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"

#include <libqueue/kind_name.hpp>

#include <algorithm>
#include <array>

namespace libqueue::store {
namespace {

using std::chrono::microseconds;

/// 9999-12-31 00:00:00 UTC, the bound of the SQL functions.
constexpr microseconds last_run_at{253'402'214'400'000'000};

[[nodiscard]] bool is_alphanumeric(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// A faulty name as it may be shown: short, printable ASCII.
[[nodiscard]] std::string shown(std::string_view name) {
    constexpr std::size_t most = 100;
    std::string out{"'"};
    for (const char c : name.substr(0, most)) {
        out += c >= ' ' && c <= '~' ? c : '?';
    }
    out += name.size() > most ? "...' of " + std::to_string(name.size()) + " bytes" : "'";
    return out;
}

[[nodiscard]] error invalid(std::string message) {
    return error{errc::invalid_argument, std::move(message)};
}

[[nodiscard]] result<void> check_times(const new_job& job) {
    if (job.run_at && job.delay) {
        return invalid("run_at and delay: expected at most one of them, got both");
    }
    if (job.run_at && job.run_at->time_since_epoch() > last_run_at) {
        return invalid("run_at: expected a time before the year 9999, got a later one");
    }
    if (job.delay && (*job.delay < microseconds{0} || *job.delay > limits::delay_max)) {
        return invalid("delay: expected 0 to 3650 days, got " + std::to_string(job.delay->count()) +
                       " us");
    }
    if (job.idempotency_ttl && (*job.idempotency_ttl <= std::chrono::seconds{0} ||
                                *job.idempotency_ttl > limits::idempotency_ttl_max)) {
        return invalid("idempotency_ttl: expected more than 0 and at most 3650 days, got " +
                       std::to_string(job.idempotency_ttl->count()) + " s");
    }
    return {};
}

[[nodiscard]] result<void> check_numbers(const new_job& job) {
    if (job.priority &&
        (*job.priority < limits::priority_min || *job.priority > limits::priority_max)) {
        return invalid("priority: expected -32768 to 32767, got " + std::to_string(*job.priority));
    }
    if (job.max_attempts && (*job.max_attempts < limits::max_attempts_min ||
                             *job.max_attempts > limits::max_attempts_max)) {
        return invalid("max_attempts: expected 1 to 1000, got " +
                       std::to_string(*job.max_attempts));
    }
    return {};
}

[[nodiscard]] result<void> check_labels(const new_job& job) {
    if (job.idempotency_key) {
        const std::string& key = *job.idempotency_key;
        if (key.empty() || key.size() > limits::idempotency_key_bytes) {
            return invalid("idempotency_key: expected 1 to 512 bytes, got " +
                           std::to_string(key.size()));
        }
        if (!core::is_storable_text(key)) {
            return invalid("idempotency_key: expected UTF-8 without NUL, got other bytes");
        }
    }
    if (job.tenant_id && !is_uuid(*job.tenant_id)) {
        return invalid("tenant_id: expected a UUID, got " + shown(*job.tenant_id));
    }
    if (job.tags.size() > limits::tags_per_job) {
        return invalid("tags: expected at most 32, got " + std::to_string(job.tags.size()));
    }
    for (const std::string& tag : job.tags) {
        if (tag.empty() || tag.size() > limits::tag_bytes || !core::is_storable_text(tag)) {
            return invalid("tag: expected 1 to 64 bytes of UTF-8 without NUL, got " + shown(tag));
        }
    }
    if (job.traceparent) {
        constexpr std::size_t most = 128;
        const std::string& trace = *job.traceparent;
        if (trace.empty() || trace.size() > most || !core::is_storable_text(trace)) {
            return invalid("traceparent: expected 1 to 128 bytes of UTF-8 without NUL, got " +
                           shown(trace));
        }
    }
    return {};
}

[[nodiscard]] result<void> check_key(const char* name, const std::optional<std::string>& key,
                                     std::size_t most) {
    if (!key) {
        return {};
    }
    if (key->empty() || key->size() > most) {
        return invalid(std::string{name} + ": expected 1 to " + std::to_string(most) +
                       " bytes, got " + std::to_string(key->size()));
    }
    if (!core::is_storable_text(*key)) {
        return invalid(std::string{name} + ": expected UTF-8 without NUL, got other bytes");
    }
    return {};
}

[[nodiscard]] result<void> check_attachments(const new_job& job) {
    const std::array parts{
        check_key("ordering_key", job.ordering_key, limits::key_bytes),
        check_key("concurrency_key", job.concurrency_key, limits::key_bytes),
        check_key("limit_key", job.limit_key, limits::limit_key_bytes),
        check_key("subject", job.subject, limits::key_bytes),
    };
    for (const result<void>& part : parts) {
        if (part.has_error()) {
            return part.error();
        }
    }
    if (job.ordering_key && job.ordering_key == job.concurrency_key) {
        return error{errc::invalid_argument,
                     "concurrency_key: expected another key than ordering_key, got " +
                         shown(*job.ordering_key) + " twice",
                     "An ordering key already runs one job at a time; give only that one."};
    }
    if (job.key_concurrency && !job.concurrency_key) {
        return invalid("key_concurrency: expected a concurrency_key beside it, got " +
                       std::to_string(*job.key_concurrency) + " alone");
    }
    if (job.key_concurrency &&
        (*job.key_concurrency < 1 || *job.key_concurrency > limits::key_concurrency_max)) {
        return error{
            errc::invalid_argument,
            "key_concurrency: expected 1 to 10000, got " + std::to_string(*job.key_concurrency),
            "With none allowed the job would wait for itself for ever."};
    }
    if (job.cost && (*job.cost < 1 || *job.cost > limits::cost_max)) {
        return invalid("cost: expected 1 to 1000000 tokens, got " + std::to_string(*job.cost));
    }
    return {};
}

[[nodiscard]] result<void> check_documents(const new_job& job) {
    if (job.payload.size() > limits::payload_bytes_max) {
        return error{errc::payload_too_large,
                     "payload: expected at most " + std::to_string(limits::payload_bytes_max) +
                         " bytes, got " + std::to_string(job.payload.size()),
                     "Store large data elsewhere and enqueue a reference to it."};
    }
    if (auto payload = core::json_storable(job.payload); payload.has_error()) {
        return payload.error();
    }
    if (job.meta.empty()) {
        return {};
    }
    if (job.meta.size() > limits::meta_bytes) {
        return invalid("meta: expected a JSON object of at most 64 KiB, got " +
                       std::to_string(job.meta.size()) + " bytes");
    }
    if (auto meta = core::json_object_storable(job.meta, "meta"); meta.has_error()) {
        return invalid(meta.error().message);
    }
    return {};
}

}  // namespace

bool is_uuid(std::string_view text) noexcept {
    constexpr std::size_t length = 36;
    if (text.size() != length) {
        return false;
    }
    for (std::size_t i = 0; i < length; ++i) {
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

result<void> check_queue_name(std::string_view name) {
    const bool valid = !name.empty() && name.size() <= limits::queue_bytes &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
                       });
    if (!valid) {
        return invalid("queue: expected 1 to 64 of A-Z a-z 0-9 _ . -, got " + shown(name));
    }
    return {};
}

result<void> check_new_job(const new_job& job) {
    if (!is_kind_name(job.kind)) {
        return invalid("kind: expected 1 to 64 of a-z 0-9 _ . -, got " + shown(job.kind));
    }
    if (job.queue) {
        if (auto queue = check_queue_name(*job.queue); queue.has_error()) {
            return queue.error();
        }
    }
    for (const auto check :
         {check_numbers, check_times, check_labels, check_attachments, check_documents}) {
        if (auto part = check(job); part.has_error()) {
            return part.error();
        }
    }
    return {};
}

}  // namespace libqueue::store
