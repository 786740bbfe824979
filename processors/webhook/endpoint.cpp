#include "processors/webhook/endpoint.hpp"

#include <sql/webhook_read_endpoint.hpp>

#include <charconv>
#include <memory>
#include <numeric>

namespace libqueue::processors::webhook {

namespace {

/// More than that and the cache begins anew: a bound, not a policy.
constexpr std::size_t most_entries = 50'000;

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t value = 0;
    const char* const begin = std::to_address(text.begin());
    const auto [stop, failed] = std::from_chars(begin, begin + text.size(), value);
    if (failed != std::errc{} || stop != begin + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// Calls `take` with each part between commas until it returns false.
template <typename Take>
bool for_each_part(std::string_view text, Take take) {
    while (!text.empty()) {
        const auto comma = text.find(',');
        if (!take(text.substr(0, comma))) {
            return false;
        }
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return true;
}

bool read_keys(std::string_view text, const settings& with, endpoint& into) {
    return for_each_part(text, [&](std::string_view part) {
        const auto colon = part.find(':');
        const auto scheme = part.substr(0, colon);
        if (colon == std::string_view::npos || (scheme != "v1" && scheme != "v1a")) {
            return false;
        }
        for (const auto& master : with.masters) {
            into.keys.push_back(master.derive(
                into.id, part.substr(colon + 1),
                scheme == "v1" ? libqueue::webhook::scheme::v1 : libqueue::webhook::scheme::v1a));
        }
        return true;
    });
}

std::optional<message_format> format_of(std::string_view text) {
    if (text == "standard") {
        return message_format::standard;
    }
    if (text == "cloudevents-structured") {
        return message_format::cloudevents_structured;
    }
    if (text == "cloudevents-binary") {
        return message_format::cloudevents_binary;
    }
    return std::nullopt;
}

statement question_for(std::int64_t id, const std::optional<std::string>& tenant) {
    return statement{std::string{sql::webhook_read_endpoint}, {std::to_string(id), tenant}};
}

}  // namespace

result<endpoint> endpoint::of_row(std::int64_t id, const rows& row, const settings& with) {
    endpoint made;
    made.id = id;
    made.enabled = row.text(0, 0) == "t";
    made.url = row.text(0, 1);
    const auto format = format_of(row.text(0, 2));
    if (const auto& ms = row.value(0, 3)) {
        made.timeout = std::chrono::milliseconds{number_of(*ms).value_or(0)};
    }
    const bool waits_read = for_each_part(row.text(0, 4), [&](std::string_view part) {
        const auto ms = number_of(part);
        made.waits.emplace_back(ms.value_or(0));
        return ms.has_value();
    });
    if (!format || !waits_read || !read_keys(row.text(0, 5), with, made) || made.keys.empty()) {
        return error{errc::invalid_argument, "endpoint " + std::to_string(id) +
                                                 ": its format, waits or keys are none that this "
                                                 "worker knows"};
    }
    made.format = *format;
    return made;
}

std::optional<std::chrono::milliseconds> endpoint::wait_after(int failed) const noexcept {
    if (failed < 1 || static_cast<std::size_t>(failed) > waits.size()) {
        return std::nullopt;
    }
    return waits[static_cast<std::size_t>(failed) - 1];
}

std::chrono::milliseconds endpoint::total_wait() const noexcept {
    return std::accumulate(waits.begin(), waits.end(), std::chrono::milliseconds{0});
}

boost::asio::awaitable<std::shared_ptr<const endpoint>> endpoint_cache::find(job_context& context,
                                                                             std::int64_t id) {
    const auto& tenant = context.job().tenant_id;
    const key place{id, tenant.value_or("")};
    const auto now = std::chrono::steady_clock::now();
    const auto lifetime = with_->given.endpoint_cache;
    {
        const std::lock_guard lock{mutex_};
        const auto found = entries_.find(place);
        if (found != entries_.end()) {
            if (now < found->second.fresh_until) {
                co_return found->second.known;
            }
            // Whoever comes next goes by what is known while we ask, for half the time at most.
            found->second.fresh_until = now + lifetime / 2;
        }
    }
    auto question = question_for(id, tenant);
    auto answer = co_await context.query(std::move(question));
    std::shared_ptr<const endpoint> known;
    if (answer.has_error()) {
        throw domain_failure{answer.error()};
    }
    if (!answer->empty()) {
        auto read = endpoint::of_row(id, *answer, *with_);
        if (read.has_error()) {
            throw domain_failure{read.error()};
        }
        known = std::make_shared<const endpoint>(std::move(*read));
    }
    const std::lock_guard lock{mutex_};
    if (entries_.size() >= most_entries) {
        entries_.clear();
    }
    auto& kept = entries_[place];
    kept.known = known;
    kept.fresh_until = now + lifetime;
    co_return known;
}

}  // namespace libqueue::processors::webhook
