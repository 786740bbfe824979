#include "bulk_line.hpp"

#include "config/suggest.hpp"
#include "json_members.hpp"
#include "stop.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace qctl {

namespace {

using libqueue::new_job;

constexpr std::array<std::string_view, 20> line_keys{
    "kind",        "payload",  "queue",        "priority",        "run_at",          "delay",
    "tags",        "meta",     "max_attempts", "idempotency_key", "idempotency_ttl", "tenant_id",
    "traceparent", "batch_id", "ordering_key", "concurrency_key", "key_concurrency", "limit_key",
    "cost",        "subject"};

std::string text_of(const json_member& member) {
    auto text = json_text(member.value);
    if (!text) {
        throw usage(member.name + ": expected a JSON string, got " + in_quotes(member.value));
    }
    return std::move(*text);
}

int number_of(const json_member& member, std::int64_t least, std::int64_t most) {
    return static_cast<int>(read_integer(member.value, member.name, least, most));
}

// False: the name is none of an attachment.
bool set_attachment(new_job& job, const json_member& member) {
    const std::string& name = member.name;
    if (name == "batch_id") {
        job.batch_id =
            read_integer(member.value, name, 1, std::numeric_limits<std::int64_t>::max());
    } else if (name == "ordering_key") {
        job.ordering_key = text_of(member);
    } else if (name == "concurrency_key") {
        job.concurrency_key = text_of(member);
    } else if (name == "key_concurrency") {
        job.key_concurrency = number_of(member, 1, 10'000);
    } else if (name == "limit_key") {
        job.limit_key = text_of(member);
    } else if (name == "cost") {
        job.cost = number_of(member, 1, 1'000'000);
    } else if (name == "subject") {
        job.subject = text_of(member);
    } else {
        return false;
    }
    return true;
}

void set_member(new_job& job, const json_member& member) {
    const std::string& name = member.name;
    if (name == "kind") {
        job.kind = text_of(member);
    } else if (name == "payload") {
        job.payload = std::string{member.value};
    } else if (name == "queue") {
        job.queue = text_of(member);
    } else if (name == "priority") {
        job.priority = number_of(member, -32768, 32767);
    } else if (name == "run_at") {
        job.run_at = read_time(text_of(member), name);
        job.delay.reset();
    } else if (name == "delay") {
        job.delay = read_duration(text_of(member), name);
        job.run_at.reset();
    } else if (name == "tags") {
        auto tags = json_texts(member.value);
        if (!tags) {
            throw usage("tags: expected an array of JSON strings, got " + in_quotes(member.value));
        }
        job.tags = std::move(*tags);
    } else if (name == "meta") {
        job.meta = std::string{member.value};
    } else if (name == "max_attempts") {
        job.max_attempts = number_of(member, 1, 1000);
    } else if (name == "idempotency_key") {
        job.idempotency_key = text_of(member);
    } else if (name == "idempotency_ttl") {
        job.idempotency_ttl =
            std::chrono::duration_cast<std::chrono::seconds>(read_duration(text_of(member), name));
    } else if (name == "tenant_id") {
        job.tenant_id = text_of(member);
    } else if (name == "traceparent") {
        job.traceparent = text_of(member);
    } else if (!set_attachment(job, member)) {
        const std::vector<std::string> known{line_keys.begin(), line_keys.end()};
        const auto best = workerd::suggest(name, known);
        throw usage("unknown member " + in_quotes(name),
                    best ? "did you mean '" + *best + "'?" : "qctl help bulk lists the members");
    }
}

}  // namespace

bool is_blank(std::string_view line) noexcept {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

new_job read_bulk_line(std::string_view line, const new_job& defaults) {
    new_job job = defaults;
    if (!defaults.kind.empty()) {
        job.payload = std::string{line};
        return job;
    }
    const auto members = json_members(line);
    if (!members) {
        // The line itself is not shown: it may hold what must not stand in a log.
        throw usage("expected an object like {\"kind\":\"a.b\",\"payload\":{}}, each member once",
                    "name the KIND on the command line when each line is a payload");
    }
    const auto is_null = [](const json_member& member) {
        return member.value == "null" && member.name != "payload";
    };
    const auto both = std::ranges::count_if(*members, [&](const json_member& member) {
        return (member.name == "run_at" || member.name == "delay") && !is_null(member);
    });
    if (both == 2) {
        throw usage("run_at and delay: expected at most one of them, got both");
    }
    for (const auto& member : *members) {
        if (!is_null(member)) {
            set_member(job, member);
        }
    }
    if (job.kind.empty()) {
        throw usage("kind: expected the kind of the job, got nothing");
    }
    return job;
}

}  // namespace qctl
