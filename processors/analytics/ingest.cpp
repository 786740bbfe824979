#include "processors/analytics/ingest.hpp"

#include "processors/analytics/event.hpp"
#include "processors/analytics/event_columns.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>

namespace libqueue::processors::analytics {

namespace {

/// What one job brings; its events go to `into`.
outcome read_job(const options& with, const job_context& context, event_columns& into) {
    if (context.stop_reason() == stop_reason::cancelled) {
        return cancelled();
    }
    const job& from = context.job();
    const auto events = parse_events(from, with.customer_key);
    if (!events) {
        return discard(events.error().message);
    }
    // Measured from when the job was enqueued: an event does not become late in a queue.
    const std::int64_t enqueued = from.created_at.time_since_epoch().count();
    const auto tenant = tenant_of(from);
    std::size_t rejected = 0;
    for (const event& each : *events) {
        if (each.at < enqueued - with.max_late.count() * 1000) {
            into.reject(each, tenant, "late");
            ++rejected;
        } else if (each.at > enqueued + with.max_ahead.count() * 1000) {
            into.reject(each, tenant, "ahead");
            ++rejected;
        } else {
            into.add(each, tenant);
        }
    }
    return completed(R"({"events": )" + std::to_string(events->size()) + R"(, "rejected": )" +
                     std::to_string(rejected) + "}");
}

}  // namespace

boost::asio::awaitable<batch_outcome> ingest(std::shared_ptr<const options> with,
                                             std::vector<job_context*> jobs) {
    batch_outcome answer;
    event_columns columns;
    for (const job_context* const context : jobs) {
        answer.each.push_back(read_job(*with, *context, columns));
        // A job of thousands of events takes milliseconds; others run on this loop as well.
        auto executor = context->executor();
        co_await boost::asio::post(executor, boost::asio::use_awaitable);
    }
    answer.also = std::move(columns).take();
    co_return answer;
}

}  // namespace libqueue::processors::analytics
