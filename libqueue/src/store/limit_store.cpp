#include "store/limit_store.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "pg/schema_name.hpp"

#include <sql/close_limit.hpp>
#include <sql/list_limits.hpp>
#include <sql/report_requests.hpp>
#include <sql/reserve_tokens.hpp>
#include <sql/reset_limit.hpp>
#include <sql/resume_limit.hpp>
#include <sql/set_limit.hpp>
#include <sql/stop_limit.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

/// Names and keys come from people: what PostgreSQL cannot store names nothing.
[[nodiscard]] std::string storable(std::string_view text) {
    return core::storable_text(text, limits::note_bytes);
}

void add_number(pg::params& to, const std::optional<int>& value) {
    value ? to.number(*value) : to.null();
}

void add_double(pg::params& to, const std::optional<double>& value) {
    if (!value) {
        to.null();
        return;
    }
    std::array<char, 64> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), *value);
    LIBQUEUE_ASSERT(ec == std::errc{});
    to.text(std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void add_name(pg::params& to, const std::optional<std::string>& value) {
    to.text(value ? std::optional<std::string>{storable(*value)} : std::nullopt);
}

void add_duration(pg::params& to, const std::optional<std::chrono::milliseconds>& value) {
    value ? to.number(value->count()) : to.null();
}

}  // namespace

void set_limit(const session& with, const limit_change& change) {
    pg::params to;
    to.text(storable(change.name));
    add_number(to, change.burst);
    add_double(to, change.rate);
    add_number(to, change.concurrency);
    add_name(to, change.key);
    to.boolean(change.pinned);
    add_name(to, change.parent);
    add_double(to, change.breaker_ratio);
    add_number(to, change.breaker_min_requests);
    add_duration(to, change.breaker_window);
    add_duration(to, change.breaker_cooldown);
    run(with, sql::set_limit, to);
}

grant reserve_tokens(const session& with, std::string_view name, int n, std::string_view key,
                     std::chrono::microseconds at_most) {
    pg::params to;
    to.text(storable(name)).number(n).text(storable(key));
    to.number(std::clamp<std::int64_t>(
        at_most.count(), 0, std::chrono::microseconds{limits::enqueue_delay_max}.count()));
    const pg::result row = run(with, sql::reserve_tokens, to);
    grant answer;
    answer.granted = row.boolean(0, 0);
    if (!row.is_null(0, 1)) {
        answer.wait = std::chrono::microseconds{row.int64(0, 1)};
    }
    return answer;
}

std::int64_t reset_limit(const session& with, std::string_view name,
                         const std::optional<std::string>& key) {
    pg::params to;
    to.text(storable(name));
    to.text(key ? std::optional<std::string>{storable(*key)} : std::nullopt);
    return run(with, sql::reset_limit, to).int64(0, 0);
}

void close_limit(const session& with, std::string_view name, std::string_view key,
                 std::chrono::microseconds retry_after, std::string_view reason) {
    pg::params to;
    to.text(storable(name)).text(storable(key));
    // Bounded, so that no time is too long to be written down; what is refused stays refused.
    to.number(std::clamp<std::int64_t>(
        retry_after.count(), -1, std::chrono::microseconds{limits::enqueue_delay_max}.count()));
    reason.empty() ? to.null() : to.text(storable(reason));
    run(with, sql::close_limit, to);
}

void report_requests(const session& with, std::string_view name, std::string_view key, int requests,
                     int errors) {
    pg::params to;
    to.text(storable(name)).text(storable(key)).number(requests).number(errors);
    run(with, sql::report_requests, to);
}

void stop_limit(const session& with, std::string_view name, std::string_view reason) {
    pg::params to;
    to.text(storable(name));
    reason.empty() ? to.null() : to.text(storable(reason));
    run(with, sql::stop_limit, to);
}

void resume_limit(const session& with, std::string_view name) {
    pg::params to;
    to.text(storable(name));
    run(with, sql::resume_limit, to);
}

pg::result list_limits(const session& with, const std::optional<std::string>& name) {
    pg::params to;
    to.text(name ? std::optional<std::string>{storable(*name)} : std::nullopt);
    return run(with, sql::list_limits, to);
}

}  // namespace libqueue::store
