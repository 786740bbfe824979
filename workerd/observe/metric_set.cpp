#include "observe/metric_set.hpp"

#include <libqueue/samples.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

namespace workerd::observe {

namespace {

using prometheus::MetricType;

constexpr std::size_t most{200};
/// Series that say `other`: one for each set of names.
constexpr std::size_t most_others{10};
constexpr std::size_t most_names{500};

struct help_row {
    std::string_view name;
    std::string_view help;
};

constexpr std::array helps{
    help_row{"alerts_sent_total", "Notices of alerts that a channel took."},
    help_row{"circuit_breaker_state", "Circuit breaker: 0 closed, 1 open, 2 half-open."},
    help_row{"emails_failed_total", "Attempts to send a mail that failed, by outcome."},
    help_row{"emails_sent_total", "Mails the relay took."},
    help_row{"emails_skipped_total", "Mails nobody wanted: suppressed or opted out."},
    help_row{"http_request_duration_seconds", "Time to answer a request."},
    help_row{"http_requests_in_progress", "Requests being answered now."},
    help_row{"http_requests_total", "Requests answered."},
    help_row{"libqueue_alert_ends_sent_total",
             "Notices that an alert is over that a channel took."},
    help_row{"libqueue_alerts_open", "Alerts that go on, by severity."},
    help_row{"libqueue_canary_age_seconds", "Age of the canary job on its way; 0: none is."},
    help_row{"libqueue_circuits_open", "Open circuits of a limit, over all its keys."},
    help_row{"libqueue_config_last_reload_success", "1 when the last reload was accepted."},
    help_row{"libqueue_db_clock_offset_seconds", "The database's clock minus this host's."},
    help_row{"libqueue_db_connections", "Sessions of this database, by state."},
    help_row{"libqueue_db_connections_max", "Sessions the server allows."},
    help_row{"libqueue_db_dead_tuples", "Dead rows of a table, as PostgreSQL estimates."},
    help_row{"libqueue_db_oldest_transaction_seconds", "Age of the oldest open transaction."},
    help_row{"libqueue_db_table_bytes", "Size of a table with indexes and TOAST."},
    help_row{"libqueue_gauges_seconds", "How long measuring the database took."},
    help_row{"libqueue_idempotency_keys", "Idempotency keys that are kept, as estimated."},
    help_row{"libqueue_idempotency_total",
             "Enqueues with an idempotency key: hit found its job there, miss made it."},
    help_row{"libqueue_job_ids_drawn", "Job ids drawn so far: enqueued, or rolled back."},
    help_row{"libqueue_limit_tokens", "Tokens left in the bucket of a limit without keys."},
    help_row{"libqueue_outbound_request_duration_seconds", "Requests to other services."},
    help_row{"libqueue_outbound_requests_total", "Requests to other services, by host and code."},
    help_row{"libqueue_queue_concurrency_limit_jobs", "Places all live workers have for a queue."},
    help_row{"libqueue_queue_jobs", "Jobs of a queue, by state."},
    help_row{"libqueue_queue_oldest_waiting_seconds", "How long the oldest due job has waited."},
    help_row{"libqueue_queue_paused", "1 when the queue is paused."},
    help_row{"libqueue_schedule_next_fire_timestamp_seconds", "When a schedule fires next."},
    help_row{"libqueue_unhandled_jobs", "Jobs in line of a kind that no live worker handles."},
    help_row{"libqueue_worker_slots", "Places of all live workers, by queue and state."},
    help_row{"libqueue_workers", "Live workers that serve a queue."},
    help_row{"nfts_minted_total", "Mints that ended, by status."},
    help_row{"oldest_job_age_seconds", "How long the oldest due job has waited."},
    help_row{"payment_amount_total_cents", "Captured, in the smallest unit of the currency."},
    help_row{"payments_processed_total", "Payments that ended, by status."},
    help_row{"queue_active_jobs", "Jobs running now."},
    help_row{"queue_size", "Jobs in line: due, scheduled and retrying."},
    help_row{"refund_amount_total_cents", "Refunded, in the smallest unit of the currency."},
    help_row{"refunds_processed_total", "Refunds that ended, by status."},
    help_row{"sms_failed_total", "Attempts to send a text message that failed, by outcome."},
    help_row{"sms_sent_total", "Text messages the provider took."},
    help_row{"sms_skipped_total", "Text messages nobody wanted."},
    help_row{"solana_wallet_balance_sol", "What the minting wallet held when last looked at."},
    help_row{"webhooks_failed_total", "Attempts to deliver a webhook that failed, by outcome."},
    help_row{"webhooks_sent_total", "Webhooks that were delivered."},
};

// What the database counts comes with what it measures. No handler's name begins like ours.
MetricType type_of(std::string_view name) {
    const bool counts = name.starts_with("libqueue_") && name.ends_with("_total");
    return counts ? MetricType::Counter : MetricType::Gauge;
}

metric_set::labels as_other(const metric_set::labels& of) {
    metric_set::labels made = of;
    for (auto& label : made)
        label.second = "other";
    return made;
}

}  // namespace

std::string help_of(std::string_view name) {
    for (const auto& row : helps) {
        if (row.name == name)
            return std::string{row.help};
    }
    return "Told by a handler.";
}

prometheus::ClientMetric::Histogram histogram_of(const std::uint64_t* counts, double sum) {
    prometheus::ClientMetric::Histogram made;
    std::uint64_t up_to = 0;
    for (std::size_t i = 0; i <= libqueue::sample_bounds.size(); ++i) {
        up_to += counts[i];
        made.bucket.push_back({up_to, i < libqueue::sample_bounds.size()
                                          ? libqueue::sample_bounds.at(i)
                                          : std::numeric_limits<double>::infinity()});
    }
    made.sample_count = up_to;
    made.sample_sum = sum;
    return made;
}

metric_set::series* metric_set::at(std::string_view name, const labels& of, MetricType type) {
    auto found = families_.find(name);
    const bool is_new = found == families_.end();
    if (is_new ? families_.size() >= most_names : found->second.type != type) {
        ++refused_;
        return nullptr;
    }
    if (is_new) {
        found = families_.emplace(std::string{name}, family{}).first;
        found->second.type = type;
    }
    auto& all = found->second.all;
    labels kept = of;
    if (all.size() >= most && !all.contains(of)) {
        ++folded_;
        kept = as_other(of);
        if (all.size() >= most + most_others && !all.contains(kept))
            kept.clear();
    }
    series& made = all[kept];
    made.of = kept;
    return &made;
}

void metric_set::add(std::string_view name, const labels& of, double much) {
    const std::lock_guard lock{mutex_};
    if (series* const in = at(name, of, MetricType::Counter))
        in->value += std::max(0.0, much);
}

void metric_set::set(std::string_view name, const labels& of, double value) {
    const std::lock_guard lock{mutex_};
    if (series* const in = at(name, of, MetricType::Gauge))
        in->value = value;
}

void metric_set::observe(std::string_view name, const labels& of, double seconds) {
    const auto& bounds = libqueue::sample_bounds;
    const auto place = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
    const std::lock_guard lock{mutex_};
    series* const in = at(name, of, MetricType::Histogram);
    if (in == nullptr)
        return;
    in->buckets.resize(bounds.size() + 1);
    ++in->buckets.at(static_cast<std::size_t>(place));
    in->sum += seconds;
}

void metric_set::replace(const std::vector<value_of>& all) {
    const std::lock_guard lock{mutex_};
    families_.clear();
    for (const auto& each : all) {
        if (series* const in = at(each.name, each.of, type_of(each.name)))
            in->value = each.value;
    }
}

void metric_set::note_refused() {
    const std::lock_guard lock{mutex_};
    ++refused_;
}

std::uint64_t metric_set::refused() const {
    const std::lock_guard lock{mutex_};
    return refused_;
}

std::uint64_t metric_set::folded() const {
    const std::lock_guard lock{mutex_};
    return folded_;
}

double metric_set::value(std::string_view name, const labels& of, double otherwise) const {
    const std::lock_guard lock{mutex_};
    const auto found = families_.find(name);
    if (found == families_.end())
        return otherwise;
    const auto one = found->second.all.find(of);
    return one == found->second.all.end() ? otherwise : one->second.value;
}

std::vector<prometheus::MetricFamily> metric_set::collect() const {
    const std::lock_guard lock{mutex_};
    std::vector<prometheus::MetricFamily> made;
    for (const auto& [name, of] : families_) {
        prometheus::MetricFamily shown;
        shown.name = name;
        shown.help = help_of(name);
        shown.type = of.type;
        for (const auto& [names, one] : of.all) {
            prometheus::ClientMetric metric;
            for (const auto& [label, value] : names)
                metric.label.push_back({label, value});
            if (of.type == MetricType::Counter)
                metric.counter.value = one.value;
            else if (of.type == MetricType::Gauge)
                metric.gauge.value = one.value;
            else
                metric.histogram = histogram_of(one.buckets.data(), one.sum);
            shown.metric.push_back(std::move(metric));
        }
        made.push_back(std::move(shown));
    }
    return made;
}

}  // namespace workerd::observe
