#include "processors/analytics/upkeep.hpp"

#include "processors/analytics/event.hpp"
#include "processors/support/payload.hpp"
#include "processors/support/run_view.hpp"

#include <sql/attribute_day.hpp>
#include <sql/check_alerts.hpp>
#include <sql/prune_some.hpp>
#include <sql/score_customers.hpp>
#include <sql/start_for_each_tenant.hpp>

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <utility>

namespace libqueue::processors::analytics {

namespace {

constexpr std::int64_t standard_days = 3;
constexpr std::int64_t most_days = 31;

/// A job for each tenant when the payload asks for that; a fault of the payload; else nothing.
std::optional<outcome> for_all(const job& from, payload_reader& payload) {
    const auto tenants = payload.optional_text("tenants");
    if (tenants && *tenants != "all") {
        payload.fault("tenants", "expected all, or nothing for the job's own");
    }
    if (!payload.ok()) {
        return discard(payload.faults());
    }
    if (!tenants) {
        return std::nullopt;
    }
    statement each{std::string{sql::start_for_each_tenant}, {from.kind}};
    return completed().also(std::move(each));
}

outcome failed(const error& why) {
    return why.code == errc::invalid_argument ? discard(why.message) : retry(why.message);
}

std::string object_of(const std::string& name, std::int64_t value) {
    return "{" + json_string(name) + ": " + std::to_string(value) + "}";
}

}  // namespace

boost::asio::awaitable<outcome> compute_scores(job_context& context) {
    payload_reader payload{context.payload()};
    if (auto said = for_all(context.job(), payload)) {
        co_return std::move(*said);
    }
    statement compute{std::string{sql::score_customers}, {tenant_of(context.job())}};
    auto answer = co_await context.query(std::move(compute));
    if (!answer) {
        co_return failed(answer.error());
    }
    co_return completed(object_of("customers", std::stoll(answer->text(0, 0))));
}

boost::asio::awaitable<outcome> attribute(job_context& context) {
    payload_reader payload{context.payload()};
    const auto days = payload.optional_integer("days", 1, most_days).value_or(standard_days);
    if (auto said = for_all(context.job(), payload)) {
        co_return std::move(*said);
    }
    std::int64_t purchases = 0;
    for (std::int64_t ago = days - 1; ago >= 0; --ago) {
        if (context.stop_requested()) {
            co_return stopped_outcome(context.stop_reason());
        }
        statement day{std::string{sql::attribute_day},
                      {tenant_of(context.job()), std::to_string(ago)}};
        auto answer = co_await context.query(std::move(day));
        if (!answer) {
            co_return failed(answer.error());
        }
        purchases += std::stoll(answer->text(0, 0));
    }
    co_return completed(object_of("purchases", purchases));
}

boost::asio::awaitable<outcome> check_alerts(job_context& context) {
    statement check{std::string{sql::check_alerts}, {context.job().tenant_id}};
    co_return completed().also(std::move(check));
}

boost::asio::awaitable<outcome> prune(job_context& context) {
    boost::json::object removed;
    for (bool more = true; more;) {
        if (context.stop_requested()) {
            co_return stopped_outcome(context.stop_reason());
        }
        statement some{std::string{sql::prune_some}};
        auto answer = co_await context.query(std::move(some));
        if (!answer) {
            co_return failed(answer.error());
        }
        more = false;
        const boost::json::value said = boost::json::parse(answer->text(0, 0));
        for (const auto& [name, value] : said.as_object()) {
            if (const bool* const flag = value.if_bool(); flag != nullptr) {
                more = *flag;
            } else {
                boost::json::value& sum = removed[name];
                const std::int64_t before = sum.is_null() ? 0 : sum.as_int64();
                sum = before + value.as_int64();
            }
        }
    }
    co_return completed(boost::json::serialize(removed));
}

}  // namespace libqueue::processors::analytics
