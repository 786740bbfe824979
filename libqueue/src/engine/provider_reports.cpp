#include "engine/provider_reports.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "engine/acknowledgement.hpp"
#include "engine/job_run.hpp"
#include "engine/queue_state.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace libqueue::engine {

job_limits limits_reader::read(std::string_view text) {
    if (last_ != nullptr && text == text_) {
        return last_;
    }
    std::vector<job_limit> found;
    const boost::json::value parsed = boost::json::parse(text);
    for (const boost::json::value& each : parsed.as_array()) {
        const boost::json::array& told = each.as_array();
        job_limit one{std::string{told.at(0).as_string()}};
        one.key = std::string{told.at(1).as_string()};
        one.slot = told.at(2).as_int64() != 0;
        if (!told.at(3).is_null()) {
            one.era = told.at(3).as_int64();
        }
        found.push_back(std::move(one));
    }
    text_ = text;
    last_ = std::make_shared<const std::vector<job_limit>>(std::move(found));
    return last_;
}

namespace provider_reports {
namespace {

/// Which limit a closing without a name is about: the kind's own, else the queue's.
std::string_view own_limit(const job_run& run) {
    const std::string& of_kind = run.kind->handler->options.limit;
    if (!of_kind.empty()) {
        return of_kind;
    }
    // Under the limit of its queue alone: there is one group of its kind, and it names it.
    const auto at = std::find_if(run.queue->limited.begin(), run.queue->limited.end(),
                                 [](const limited_group& one) { return one.kind_limit.empty(); });
    return at == run.queue->limited.end() ? std::string_view{} : std::string_view{at->queue_limit};
}

}  // namespace

std::vector<provider_report> of(job_run& run, const outcome& said) {
    std::vector<provider_report> reports;
    if (run.limits == nullptr) {
        return reports;
    }
    provider_words words = run.take_provider_words();
    if (words.requests == 0) {
        const bool timed_out = run.reason() == stop_reason::timeout;
        words.requests = timed_out || said.kind() == outcome::type::completed ? 1 : 0;
        words.errors = timed_out && said.kind() != outcome::type::completed ? 1 : 0;
    }
    for (const job_limit& limit : *run.limits) {
        provider_report one{limit};
        if (limit.era.has_value()) {
            one.requests = words.requests;
            one.errors = words.errors;
        }
        for (const provider_words::closing& each : words.closings) {
            if ((each.limit.empty() ? own_limit(run) : each.limit) == limit.name) {
                const std::chrono::microseconds time{each.time};
                one.close_us = std::max<std::int64_t>(one.close_us, time.count());
            }
        }
        if (one.close_us > 0) {
            one.reason = core::storable_text(
                "job " + std::to_string(run.job.id) +
                    (said.message().empty() ? " was throttled" : ": " + said.message()),
                limits::note_bytes);
        }
        if (one.requests > 0 || one.close_us > 0) {
            reports.push_back(std::move(one));
        }
    }
    return reports;
}

std::optional<pg::params> params(const std::vector<acknowledgement>& batch, std::int64_t worker,
                                 int lane) {
    // Each limit and key once, in their order.
    std::map<std::pair<std::string_view, std::string_view>, provider_report> sums;
    for (const acknowledgement& ack : batch) {
        for (const provider_report& one : ack.reports) {
            const auto [at, fresh] = sums.try_emplace({one.limit, one.key}, one);
            if (fresh) {
                continue;
            }
            provider_report& sum = at->second;
            if (one.close_us > sum.close_us) {
                sum.close_us = one.close_us;
                sum.reason = one.reason;
            }
            // What started in an earlier era counts no more.
            if (one.era > sum.era) {
                sum.era = one.era;
                sum.requests = 0;
                sum.errors = 0;
            }
            if (one.era == sum.era) {
                sum.requests += one.requests;
                sum.errors += one.errors;
            }
        }
    }
    if (sums.empty()) {
        return std::nullopt;
    }
    std::vector<std::string> names;
    std::vector<std::string> keys;
    std::vector<std::string> reasons;
    std::vector<std::int64_t> eras;
    std::vector<std::int64_t> requests;
    std::vector<std::int64_t> errors;
    std::vector<std::int64_t> closed;
    for (const auto& [which, sum] : sums) {
        names.push_back(sum.limit);
        keys.push_back(sum.key);
        eras.push_back(sum.era.value_or(0));
        requests.push_back(sum.requests);
        errors.push_back(sum.errors);
        closed.push_back(sum.close_us);
        reasons.push_back(sum.reason);
    }
    pg::params p;
    p.int8(worker).int4(lane).text_array(names).text_array(keys).int8_array(eras);
    p.int8_array(requests).int8_array(errors).int8_array(closed).text_array(reasons);
    return p;
}

}  // namespace provider_reports

}  // namespace libqueue::engine
