#include "pg/connection.hpp"
#include "pg/schema_name.hpp"

#include <libqueue/testing.hpp>
#include <sql/testing_find_enqueued.hpp>

namespace libqueue::testing {
namespace {

void add_text(pg::params& to, const std::optional<std::string>& value) {
    value ? to.text(*value) : to.null();
}

void add_time(pg::params& to, const std::optional<std::chrono::milliseconds>& value) {
    value ? to.number(value->count()) : to.null();
}

std::string described(const expected_job& like) {
    std::string text = "kind " + like.kind;
    const auto add = [&](const char* name, const std::optional<std::string>& value) {
        text += value ? std::string{", "} + name + " " + *value : "";
    };
    const auto add_ms = [&](const char* name, const auto& value) {
        text += value ? std::string{", "} + name + " " + std::to_string(value->count()) + " ms"
                      : std::string{};
    };
    add("queue", like.queue);
    add("payload with", like.payload);
    text += like.priority ? ", priority " + std::to_string(*like.priority) : "";
    add("tenant", like.tenant_id);
    add("tag", like.tag);
    add_ms("due after", like.after);
    add_ms("due within", like.within);
    return text;
}

std::string listed(const std::vector<job_info>& jobs) {
    constexpr std::size_t shown = 20;
    std::string text;
    for (const job_info& job : jobs) {
        if (text.empty() && jobs.size() > shown) {
            text += "\n  (the first " + std::to_string(shown) + ")";
        }
        text += "\n  " + std::to_string(job.id) + " " + job.kind + " " + job.queue + " priority " +
                std::to_string(job.priority) + " " + std::string{to_string(job.state)} + " " +
                job.payload;
        if (&job == &jobs[std::min(shown, jobs.size()) - 1]) {
            break;
        }
    }
    return text.empty() ? "\n  nothing" : text;
}

[[noreturn]] void fail(database& in, const expected_job& like, const std::string& expected,
                       const std::vector<job_info>& found) {
    std::string text = "expected " + expected + " (" + described(like) + "), got " +
                       std::to_string(found.size()) + "; in line:";
    text += listed(find_enqueued(in, expected_job{"*"}));
    throw failed{text};
}

}  // namespace

std::vector<job_info> find_enqueued(database& in, const expected_job& like) {
    pg::params to;
    to.text(like.kind);
    add_text(to, like.queue);
    add_text(to, like.payload);
    like.priority ? to.number(*like.priority) : to.null();
    add_text(to, like.tenant_id);
    add_text(to, like.tag);
    add_time(to, like.after);
    add_time(to, like.within);
    client& on = in.client();
    const pg::result ids =
        on.connection().exec(pg::with_schema(sql::testing_find_enqueued, on.schema()), to);
    std::vector<job_info> jobs;
    for (int row = 0; row < ids.rows(); ++row) {
        if (auto job = on.get(ids.int64(row, 0)); job.has_value()) {
            jobs.push_back(std::move(job).value());
        }
    }
    return jobs;
}

job_info assert_enqueued(database& in, const expected_job& like) {
    std::vector<job_info> found = find_enqueued(in, like);
    if (found.size() != 1) {
        fail(in, like, "one job in line", found);
    }
    return std::move(found.front());
}

void assert_enqueued(database& in, const expected_job& like, int times) {
    const std::vector<job_info> found = find_enqueued(in, like);
    if (found.size() != static_cast<std::size_t>(times)) {
        fail(in, like, std::to_string(times) + " jobs in line", found);
    }
}

void refute_enqueued(database& in, const expected_job& like) {
    const std::vector<job_info> found = find_enqueued(in, like);
    if (!found.empty()) {
        fail(in, like, "no job in line", found);
    }
}

}  // namespace libqueue::testing
