#include "job_flags.hpp"

#include "printable.hpp"
#include "stop.hpp"
#include "values.hpp"

#include <chrono>
#include <limits>
#include <set>
#include <string>

namespace qctl {

namespace {

// {"k":"v"} of every --meta k=v.
std::string meta_object(const std::vector<std::string>& entries) {
    std::string object;
    std::set<std::string> known;
    for (const auto& entry : entries) {
        const auto equals = entry.find('=');
        const auto name = entry.substr(0, equals);
        if (equals == std::string::npos || name.empty()) {
            throw usage("--meta: expected K=V, got " + in_quotes(entry));
        }
        if (!known.insert(name).second) {
            throw usage("--meta: expected each name once, got " + in_quotes(name) + " twice");
        }
        object += (object.empty() ? "{" : ",") + json_quoted(name) + ":" +
                  json_quoted(entry.substr(equals + 1));
    }
    return object.empty() ? object : object + "}";
}

}  // namespace

libqueue::new_job job_from_flags(const invocation& call) {
    libqueue::new_job job{call.arguments.empty() ? "" : call.arguments[0], "{}"};
    job.queue = call.text("queue");
    if (const auto priority = call.text("priority")) {
        job.priority = static_cast<int>(read_integer(*priority, "--priority", -32768, 32767));
    }
    if (call.has("at") && call.has("in")) {
        throw usage("--at and --in: expected at most one of them, got both");
    }
    if (const auto at = call.text("at")) {
        job.run_at = read_time(*at, "--at");
    }
    if (const auto in = call.text("in")) {
        job.delay = read_duration(*in, "--in");
    }
    job.idempotency_key = call.text("unique-key");
    if (const auto window = call.text("window")) {
        const auto ttl =
            std::chrono::duration_cast<std::chrono::seconds>(read_duration(*window, "--window"));
        if (ttl.count() < 1) {
            throw usage("--window: expected at least 1s, got " + in_quotes(*window));
        }
        job.idempotency_ttl = ttl;
    }
    if (const auto attempts = call.text("max-attempts")) {
        job.max_attempts = static_cast<int>(read_integer(*attempts, "--max-attempts", 1, 1000));
    }
    job.tags = call.all("tag");
    job.meta = meta_object(call.all("meta"));
    job.tenant_id = call.text("tenant");
    if (const auto batch = call.text("batch")) {
        job.batch_id = read_integer(*batch, "--batch", 1, std::numeric_limits<std::int64_t>::max());
    }
    job.ordering_key = call.text("ordering-key");
    job.concurrency_key = call.text("concurrency-key");
    if (const auto most = call.text("key-concurrency")) {
        job.key_concurrency = static_cast<int>(read_integer(*most, "--key-concurrency", 1, 10'000));
    }
    job.limit_key = call.text("limit-key");
    if (const auto cost = call.text("cost")) {
        job.cost = static_cast<int>(read_integer(*cost, "--cost", 1, 1'000'000));
    }
    job.subject = call.text("subject");
    return job;
}

}  // namespace qctl
