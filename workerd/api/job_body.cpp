#include "job_body.hpp"

#include "problem.hpp"
#include "qctl/instant.hpp"
#include "qctl/json_members.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace workerd::api {

namespace {

constexpr std::int64_t delay_ms_max = std::int64_t{100} * 366 * 86'400 * 1'000;

std::string text_of(std::string_view raw, const std::string& where) {
    auto text = qctl::json_text(raw);
    if (!text || text->find('\0') != std::string::npos) {
        refuse_value(where, "a text", "something else");
    }
    return *std::move(text);
}

std::int64_t integer_of(std::string_view raw, const std::string& where, std::int64_t least,
                        std::int64_t most) {
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
    if (fault != std::errc{} || end != raw.data() + raw.size() || number < least || number > most) {
        refuse_value(where,
                     "an integer from " + std::to_string(least) + " to " + std::to_string(most),
                     "something else");
    }
    return number;
}

int small_of(std::string_view raw, const std::string& where) {
    constexpr int most = std::numeric_limits<int>::max();
    return static_cast<int>(integer_of(raw, where, -most, most));
}

libqueue::time_point time_of(std::string_view raw, const std::string& where) {
    const auto when = qctl::read_instant(text_of(raw, where));
    if (!when) {
        refuse_value(where, "a time with its zone (2026-01-31T08:00:00Z)", "something else");
    }
    return *when;
}

/// Whether the job has such a member.
bool take_option(libqueue::new_job& job, const qctl::json_member& member,
                 const std::string& where) {
    const std::string_view name = member.name;
    const std::string_view raw = member.value;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (name == "queue") {
        job.queue = text_of(raw, where);
    } else if (name == "priority") {
        job.priority = small_of(raw, where);
    } else if (name == "run_at") {
        job.run_at = time_of(raw, where);
    } else if (name == "delay_ms") {
        job.delay = std::chrono::milliseconds{integer_of(raw, where, 0, delay_ms_max)};
    } else if (name == "max_attempts") {
        job.max_attempts = small_of(raw, where);
    } else if (name == "idempotency_key") {
        job.idempotency_key = text_of(raw, where);
    } else if (name == "tenant_id") {
        job.tenant_id = text_of(raw, where);
    } else if (name == "traceparent") {
        job.traceparent = text_of(raw, where);
    } else if (name == "batch_id") {
        job.batch_id = integer_of(raw, where, 1, most);
    } else if (name == "ordering_key") {
        job.ordering_key = text_of(raw, where);
    } else if (name == "concurrency_key") {
        job.concurrency_key = text_of(raw, where);
    } else if (name == "key_concurrency") {
        job.key_concurrency = small_of(raw, where);
    } else if (name == "limit_key") {
        job.limit_key = text_of(raw, where);
    } else if (name == "cost") {
        job.cost = small_of(raw, where);
    } else if (name == "subject") {
        job.subject = text_of(raw, where);
    } else if (name == "meta") {
        job.meta = std::string{raw};
    } else if (name == "tags") {
        auto tags = qctl::json_texts(raw);
        if (!tags) {
            refuse_value(where, "a list of texts", "something else");
        }
        job.tags = *std::move(tags);
    } else {
        return false;
    }
    return true;
}

}  // namespace

libqueue::new_job read_job(std::string_view object, const std::string& where) {
    const auto members = qctl::json_members(object);
    if (!members) {
        refuse_value(where, "an object with each member once", "something else");
    }
    libqueue::new_job job{"", ""};
    for (const qctl::json_member& member : *members) {
        const std::string place = where + "." + member.name.substr(0, 64);
        if (member.name == "payload") {
            job.payload = std::string{member.value};
        } else if (member.value == "null") {
            continue;
        } else if (member.name == "kind") {
            job.kind = text_of(member.value, place);
        } else if (!take_option(job, member, place)) {
            refuse_value(place, "a member of a job", "an unknown one");
        }
    }
    if (job.kind.empty()) {
        refuse_value(where + ".kind", "the kind of the job", "nothing");
    }
    if (job.payload.empty()) {
        job.payload = "{}";
    }
    return job;
}

std::vector<std::string_view> json_items(std::string_view array) {
    std::vector<std::string_view> items;
    std::size_t depth = 0;
    std::size_t begin = std::string_view::npos;
    bool in_text = false;
    const auto end_item = [&](std::size_t at) {
        if (begin != std::string_view::npos) {
            auto item = array.substr(begin, at - begin);
            while (!item.empty() &&
                   std::string_view{" \t\r\n"}.find(item.back()) != std::string_view::npos) {
                item.remove_suffix(1);
            }
            items.push_back(item);
        }
        begin = std::string_view::npos;
    };
    for (std::size_t at = 0; at < array.size(); ++at) {
        const char c = array[at];
        if (in_text) {
            if (c == '\\') {
                ++at;
            } else if (c == '"') {
                in_text = false;
            }
            continue;
        }
        const bool closes = c == ']' || c == '}';
        if (closes && --depth == 0) {
            end_item(at);
            break;
        }
        if (depth == 1 && c == ',') {
            end_item(at);
            continue;
        }
        if (depth == 1 && begin == std::string_view::npos && !closes &&
            std::string_view{" \t\r\n"}.find(c) == std::string_view::npos) {
            begin = at;
        }
        depth += c == '[' || c == '{' ? 1U : 0U;
        in_text = c == '"';
    }
    return items;
}

}  // namespace workerd::api
