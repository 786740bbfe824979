#include "processors/support/run_view.hpp"

#include "processors/support/crypto.hpp"

#include <algorithm>
#include <utility>

namespace libqueue::processors {

namespace {

bool is_plain(const std::string& key) {
    return !key.empty() && key.size() <= 128 && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-' || c == ':';
    });
}

}  // namespace

run_view::run_view(job_context& context)
    : job{context.job()},
      idempotency_key{context.idempotency_key()},
      traceparent{context.traceparent()},
      traced{context.traced()},
      stop{context.stop_token()},
      deadline{context.deadline()},
      reason{[&context] {
          return context.stop_reason();
      }},
      context_{&context} {}

void run_view::provider_ok() const {
    if (context_ != nullptr) {
        context_->provider_ok();
    }
}

void run_view::provider_failed() const {
    if (context_ != nullptr) {
        context_->provider_failed();
    }
}

void run_view::provider_throttled(std::chrono::milliseconds retry_after) const {
    if (context_ != nullptr) {
        context_->provider_throttled(retry_after);
    }
}

void run_view::call_made(outbound_call what) const {
    if (context_ != nullptr) {
        context_->call_made(std::move(what));
    }
}

void run_view::log(log_level level, std::string text) const {
    if (context_ != nullptr) {
        context_->log(level, std::move(text));
    }
}

libqueue::stop_reason run_view::stop_reason() const {
    return reason ? reason() : libqueue::stop_reason::none;
}

outcome stopped_outcome(libqueue::stop_reason reason) {
    switch (reason) {
        case libqueue::stop_reason::cancelled:
            return cancelled("cancelled while running");
        case libqueue::stop_reason::shutdown:
            return snooze(std::chrono::milliseconds{0}, "the worker is leaving");
        case libqueue::stop_reason::timeout:
            return retry("timed out");
        case libqueue::stop_reason::lease_lost:
            return retry("the lease was lost");
        case libqueue::stop_reason::none:
            break;
    }
    return retry("stopped before it was done");
}

std::string delivery_id(const run_view& run) {
    const auto own = "job:" + std::to_string(run.job.id);
    if (run.idempotency_key == own) {
        const auto created = run.job.created_at.time_since_epoch().count();
        const auto trace = sha256_hex(std::to_string(created)).substr(0, 8);
        return "job-" + std::to_string(run.job.id) + "-" + trace;
    }
    if (!run.job.tenant_id && is_plain(run.idempotency_key)) {
        return run.idempotency_key;
    }
    auto identity = run.job.tenant_id.value_or("");
    identity += '\n';
    identity += run.idempotency_key;
    return "key-" + sha256_hex(identity).substr(0, 32);
}

}  // namespace libqueue::processors
