#include "observe/observability.hpp"

#include "logging/line_format.hpp"
#include "net/plain_get.hpp"

#include <libqueue/version.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace workerd::observe {

namespace {

constexpr std::string_view text_type{"text/plain; version=0.0.4; charset=utf-8"};

bool is_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && name.size() <= 100 && name[0] >= 'a' && name[0] <= 'z' &&
           std::all_of(name.begin(), name.end(), fits) && !name.starts_with("libqueue_");
}

constexpr std::size_t label_bytes{128};

/// In one order, so that the order in which a handler names its labels makes no second series of
/// what is one to a scraper; values as a scraper and the database take them.
libqueue::measure_labels cleaned(const libqueue::measure_labels& told) {
    libqueue::measure_labels made;
    for (const auto& [name, value] : told)
        made.emplace_back(name, clean_text(value, label_bytes));
    std::ranges::sort(made);
    return made;
}

/// Whether a scraper and the database would take it, once its labels are cleaned.
bool is_sound(const libqueue::measure& told) {
    using label = libqueue::measure_labels::value_type;
    return is_name(told.name) && std::isfinite(told.value) && told.labels.size() <= 5 &&
           std::ranges::all_of(told.labels, is_name, &label::first) &&
           std::ranges::adjacent_find(told.labels, {}, &label::first) == told.labels.end();
}

std::string before_dot(const std::string& kind) {
    return kind.substr(0, kind.find('.'));
}

http_response text_response(std::string body) {
    http_response made{boost::beast::http::status::ok, 11};
    made.set(boost::beast::http::field::content_type, text_type.data());
    made.set(boost::beast::http::field::cache_control, "no-store");
    made.body() = std::move(body);
    made.prepare_payload();
    return made;
}

}  // namespace

observability::observability(const options& given, libqueue::client_options database, logger& log)
    : given_{given}, tracer_{given_.tracing, log}, keeper_{given_, std::move(database), jobs_,
                                                           told_,  database_,           log} {
    // There from the first scrape on, so that the first one counted is an increase.
    for (const auto* name : {"webhooks_sent_total", "emails_sent_total", "sms_sent_total"})
        told_.add(name, {}, 0);
    for (const auto* name : {"webhooks_failed_total", "emails_failed_total", "sms_failed_total"})
        told_.add(name, {{"outcome", "retry"}}, 0);
    for (const auto* name :
         {"payments_processed_total", "refunds_processed_total", "nfts_minted_total"}) {
        told_.add(name, {{"status", "completed"}}, 0);
        told_.add(name, {{"status", "failed"}}, 0);
    }
    told_.add("alerts_sent_total", {{"channel", "log"}, {"severity", "critical"}}, 0);
    told_.set("libqueue_config_last_reload_success", {}, 1);
}

observability::~observability() {
    stop();
}

void observability::on_event(const libqueue::event& e) noexcept {
    try {
        jobs_.on_event(e);
        if (e.type == libqueue::event_type::job_measured) {
            libqueue::measure told = *e.measured;
            told.labels = cleaned(told.labels);
            if (!is_sound(told))
                told_.note_refused();
            else if (told.what == libqueue::measure::type::level)
                keeper_.put_level(told);
            else
                told_.add(told.name, told.labels, told.value);
        } else if (e.type == libqueue::event_type::call_made) {
            const std::string processor = before_dot(e.job->kind);
            const auto& call = *e.call;
            told_.add("libqueue_outbound_requests_total",
                      {{"processor", processor},
                       {"code", call.status == 0 ? call.error_type : std::to_string(call.status)}});
            told_.observe("libqueue_outbound_request_duration_seconds", {{"processor", processor}},
                          static_cast<double>(call.duration.count()) / 1e6);
        }
        tracer_.on_event(e);
    } catch (const std::exception&) {
        // Out of memory: a count less is better than a worker less.
    }
}

std::string observability::trace_run(const libqueue::job& run, std::string_view enqueued) const {
    return tracer_.trace_run(run, enqueued);
}

void observability::start(const libqueue::worker& worker) {
    worker_ = &worker;
    tracer_.start();
    if (given_.keeps)
        keeper_.start([&worker] { return worker.connected(); });
}

void observability::stop() {
    keeper_.stop();
    tracer_.stop();
}

std::vector<prometheus::MetricFamily> observability::collect() const {
    std::vector<prometheus::MetricFamily> all = process_.collect();
    const auto append = [&all](std::vector<prometheus::MetricFamily> more) {
        std::move(more.begin(), more.end(), std::back_inserter(all));
    };
    append(families_of(jobs_));
    append(told_.collect());
    append(database_.collect());
    all.push_back(gauge_of(
        "libqueue_build_info", "Always 1; the version is in the label.", 1,
        {{"version", std::string{libqueue::version}}, {"dev", given_.dev ? "true" : "false"}}));
    all.push_back(gauge_of("libqueue_leader",
                           "1 in the process that measures the database and evaluates alerts.",
                           keeper_.leads() ? 1 : 0));
    prometheus::MetricFamily refused;
    refused.type = prometheus::MetricType::Counter;
    refused.name = "libqueue_measures_refused_total";
    refused.help = "What handlers told and nobody could count: docs/metrics.md.";
    refused.metric.emplace_back().counter.value = static_cast<double>(told_.refused());
    all.push_back(refused);
    refused.name = "libqueue_measures_folded_total";
    refused.help = "What was counted as `other`: its name had 200 sets of labels already.";
    refused.metric.back().counter.value = static_cast<double>(told_.folded());
    all.push_back(std::move(refused));
    if (worker_ != nullptr) {
        all.push_back(gauge_of("libqueue_worker_active_jobs", "Jobs running in this process.",
                               worker_->active()));
        all.push_back(gauge_of("libqueue_worker_connected",
                               "1 while the worker has talked to the database within its lease.",
                               worker_->connected() ? 1 : 0));
    }
    if (given_.keeps)
        all.push_back(gauge_of("libqueue_db_clock_offset_seconds",
                               "The database's clock minus this host's.",
                               std::chrono::duration<double>{keeper_.clock_offset()}.count()));
    if (tracer_.on()) {
        prometheus::MetricFamily spans;
        spans.type = prometheus::MetricType::Counter;
        spans.name = "libqueue_spans_exported_total";
        spans.help = "Spans the collector took.";
        spans.metric.emplace_back().counter.value = static_cast<double>(tracer_.exported());
        all.push_back(spans);
        spans.name = "libqueue_telemetry_dropped_total";
        spans.help = "Spans that were dropped: the queue was full, or the collector refused them.";
        spans.metric.back().counter.value = static_cast<double>(tracer_.dropped());
        all.push_back(std::move(spans));
    }
    return in_order(std::move(all));
}

boost::asio::awaitable<http_response> observability::answer(http_request request) {
    const auto path = plain_get_path(request);
    if (!path)
        co_return plain_get_only();
    if (path == "/metrics")
        co_return text_response(as_text(collect()));
    if (path == "/metrics/json")
        co_return json_response(200, as_json(collect()));
    co_return no_such_page();
}

libqueue::registration canary_registration() {
    libqueue::registration made{std::string{canary_kind}};
    made.handle_blocking = [](libqueue::job_context&) {
        return libqueue::completed();
    };
    made.options.max_attempts = 1;
    made.options.retention = std::chrono::hours{1};
    made.options.dead_letter_retention = std::chrono::hours{1};
    made.options.timeout = std::chrono::seconds{10};
    return made;
}

}  // namespace workerd::observe
