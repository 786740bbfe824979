#include "observe/exposition.hpp"

#include <boost/json.hpp>
#include <prometheus/text_serializer.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace workerd::observe {

namespace {

namespace json = boost::json;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family_of(std::string name, std::string help, MetricType type) {
    MetricFamily made;
    made.name = std::move(name);
    made.help = std::move(help);
    made.type = type;
    return made;
}

ClientMetric count_of(std::uint64_t value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric made;
    made.label = std::move(labels);
    made.counter.value = static_cast<double>(value);
    return made;
}

ClientMetric times_of(const time_histogram& of, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric made;
    made.label = std::move(labels);
    made.histogram = histogram_of(of.read().data(), of.sum_seconds());
    return made;
}

double cpu_seconds() {
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) != 0)
        return 0;
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

double resident_bytes() {
    std::ifstream file{"/proc/self/statm"};
    double whole = 0;
    double resident = 0;
    file >> whole >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void add_kinds(const job_counters& jobs, std::vector<MetricFamily>& to) {
    auto finished = family_of("libqueue_jobs_finished_total",
                              "Runs that ended, by what the handler said.", MetricType::Counter);
    auto dead = family_of("libqueue_jobs_dead_total", "Jobs that became dead letters.",
                          MetricType::Counter);
    auto timed_out = family_of("libqueue_jobs_timed_out_total",
                               "Runs that were told their time is over.", MetricType::Counter);
    auto run = family_of("libqueue_job_run_seconds", "Time a handler took.", MetricType::Histogram);
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> by_queue;
    std::map<std::string, std::pair<time_histogram::counts, double>> run_by_queue;
    jobs.each_kind([&](const kind_counters& of) {
        if (of.kind == canary_kind)
            return;
        const std::vector<ClientMetric::Label> names{{"queue", of.queue}, {"kind", of.kind}};
        for (std::size_t i = 0; i < outcome_count; ++i) {
            const auto outcome = static_cast<libqueue::outcome::type>(i);
            const std::uint64_t value = of.outcomes.at(i).value();
            auto labels = names;
            labels.push_back({"outcome", std::string{to_string(outcome)}});
            finished.metric.push_back(count_of(value, std::move(labels)));
            const bool failed = outcome == libqueue::outcome::type::retry ||
                                outcome == libqueue::outcome::type::discard ||
                                outcome == libqueue::outcome::type::unknown;
            by_queue[of.queue].first += outcome == libqueue::outcome::type::completed ? value : 0;
            by_queue[of.queue].second += failed ? value : 0;
        }
        dead.metric.push_back(count_of(of.dead.value(), names));
        timed_out.metric.push_back(count_of(of.timed_out.value(), names));
        run.metric.push_back(times_of(of.run, names));
        auto& sum = run_by_queue[of.queue];
        const auto counts = of.run.read();
        for (std::size_t i = 0; i < counts.size(); ++i)
            sum.first.at(i) += counts.at(i);
        sum.second += of.run.sum_seconds();
    });
    auto processed =
        family_of("queue_jobs_processed_total", "Jobs that completed.", MetricType::Counter);
    auto failed = family_of("queue_jobs_failed_total",
                            "Runs that failed: to be tried again, discarded or unknown.",
                            MetricType::Counter);
    auto took = family_of("queue_job_processing_duration_seconds", "Time handlers took.",
                          MetricType::Histogram);
    for (const auto& [queue, counts] : by_queue) {
        processed.metric.push_back(count_of(counts.first, {{"queue", queue}}));
        failed.metric.push_back(count_of(counts.second, {{"queue", queue}}));
    }
    for (const auto& [queue, times] : run_by_queue) {
        ClientMetric made;
        made.label.push_back({"queue", queue});
        made.histogram = histogram_of(times.first.data(), times.second);
        took.metric.push_back(std::move(made));
    }
    for (auto* each : {&finished, &dead, &timed_out, &run, &processed, &failed, &took})
        to.push_back(std::move(*each));
}

void add_queues(const job_counters& jobs, std::vector<MetricFamily>& to) {
    auto wait =
        family_of("libqueue_job_wait_seconds", "From due to started.", MetricType::Histogram);
    auto whole = family_of("libqueue_job_end_to_end_seconds", "From enqueued to completed.",
                           MetricType::Histogram);
    auto canary = family_of("libqueue_canary_seconds",
                            "From enqueued to completed, of the canary jobs of a queue.",
                            MetricType::Histogram);
    jobs.each_queue([&](const queue_counters& of) {
        const std::vector<ClientMetric::Label> name{{"queue", of.queue}};
        wait.metric.push_back(times_of(of.wait, name));
        whole.metric.push_back(times_of(of.end_to_end, name));
        canary.metric.push_back(times_of(of.canary, name));
    });
    for (auto* each : {&wait, &whole, &canary})
        to.push_back(std::move(*each));
}

json::object json_of(const MetricFamily& family, const ClientMetric& metric) {
    json::object labels;
    for (const auto& label : metric.label)
        labels[label.name] = label.value;
    json::object made;
    made["labels"] = std::move(labels);
    if (family.type != MetricType::Histogram) {
        made["value"] =
            family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value;
        return made;
    }
    made["count"] = metric.histogram.sample_count;
    made["sum"] = metric.histogram.sample_sum;
    json::array buckets;
    for (const auto& bucket : metric.histogram.bucket) {
        json::array pair;
        if (std::isinf(bucket.upper_bound))
            pair.emplace_back("+Inf");
        else
            pair.emplace_back(bucket.upper_bound);
        pair.emplace_back(bucket.cumulative_count);
        buckets.push_back(std::move(pair));
    }
    made["buckets"] = std::move(buckets);
    return made;
}

std::string_view name_of(MetricType type) {
    switch (type) {
        case MetricType::Counter:
            return "counter";
        case MetricType::Histogram:
            return "histogram";
        default:
            return "gauge";
    }
}

}  // namespace

process_figures::process_figures()
    : started_{std::chrono::steady_clock::now()},
      started_at_{std::chrono::duration<double>{std::chrono::system_clock::now().time_since_epoch()}
                      .count()} {}

std::vector<MetricFamily> process_figures::collect() const {
    const double uptime =
        std::chrono::duration<double>{std::chrono::steady_clock::now() - started_}.count();
    const double cpu = cpu_seconds();
    const double memory = resident_bytes();
    std::vector<MetricFamily> made;
    made.push_back(gauge_of("service_uptime_seconds", "Since this process started.", uptime));
    made.push_back(gauge_of("service_memory_usage_bytes", "Resident memory.", memory));
    made.push_back(gauge_of("service_cpu_usage_percent",
                            "Processor time over uptime, of one processor.",
                            uptime > 0 ? 100.0 * cpu / uptime : 0));
    made.push_back(gauge_of("process_resident_memory_bytes", "Resident memory.", memory));
    made.push_back(
        gauge_of("process_start_time_seconds", "When this process started.", started_at_));
    auto used = family_of("process_cpu_seconds_total", "Processor time used.", MetricType::Counter);
    used.metric.emplace_back().counter.value = cpu;
    made.push_back(std::move(used));
    return made;
}

MetricFamily gauge_of(std::string name, std::string help, double value,
                      std::vector<ClientMetric::Label> labels) {
    auto made = family_of(std::move(name), std::move(help), MetricType::Gauge);
    auto& metric = made.metric.emplace_back();
    metric.label = std::move(labels);
    metric.gauge.value = value;
    return made;
}

std::vector<MetricFamily> families_of(const job_counters& jobs) {
    std::vector<MetricFamily> made;
    add_kinds(jobs, made);
    add_queues(jobs, made);
    auto events =
        family_of("libqueue_worker_events_total",
                  "What happened to this process's worker, by event.", MetricType::Counter);
    using libqueue::event_type;
    for (const auto type :
         {event_type::database_lost, event_type::database_back, event_type::worker_lost,
          event_type::lease_lost, event_type::internal_error, event_type::output_unstorable,
          event_type::schedule_failed, event_type::batch_callback_failed, event_type::key_missing,
          event_type::server_unsafe})
        events.metric.push_back(
            count_of(jobs.happened(type), {{"event", std::string{to_string(type)}}}));
    made.push_back(std::move(events));
    auto rescued =
        family_of("libqueue_jobs_rescued_total",
                  "Jobs of dead workers this process put back in line.", MetricType::Counter);
    rescued.metric.push_back(count_of(jobs.rescued()));
    made.push_back(std::move(rescued));
    auto claims = family_of("libqueue_claims_total", "Turns that asked for jobs, by what came.",
                            MetricType::Counter);
    claims.metric.push_back(count_of(jobs.claims(true), {{"result", "jobs"}}));
    claims.metric.push_back(count_of(jobs.claims(false), {{"result", "empty"}}));
    made.push_back(std::move(claims));
    auto claimed = family_of("libqueue_jobs_claimed_total", "Jobs claimed.", MetricType::Counter);
    claimed.metric.push_back(count_of(jobs.claimed()));
    made.push_back(std::move(claimed));
    auto took = family_of("libqueue_claim_seconds", "Round trip of a turn that asked for jobs.",
                          MetricType::Histogram);
    took.metric.push_back(times_of(jobs.claim_time()));
    made.push_back(std::move(took));
    return made;
}

namespace {

/// Two series of the same labels spoil a scrape: the first one stays.
void drop_doubles(MetricFamily& family) {
    using label = std::pair<std::string, std::string>;
    std::set<std::vector<label>> seen;
    std::erase_if(family.metric, [&](const ClientMetric& metric) {
        std::vector<label> labels;
        for (const auto& each : metric.label)
            labels.emplace_back(each.name, each.value);
        std::ranges::sort(labels);
        return !seen.insert(std::move(labels)).second;
    });
}

/// Lines of a histogram have names of their own, which no other metric may have.
void drop_lines_of_histograms(std::map<std::string, MetricFamily>& by_name) {
    std::vector<std::string> taken;
    for (const auto& [name, family] : by_name) {
        if (family.type == MetricType::Histogram)
            for (const auto* const end : {"_bucket", "_count", "_sum"})
                taken.push_back(name + end);
    }
    for (const auto& name : taken)
        by_name.erase(name);
}

}  // namespace

std::vector<MetricFamily> in_order(std::vector<MetricFamily> families) {
    std::map<std::string, MetricFamily> by_name;
    for (auto& family : families) {
        auto& of = by_name[family.name];
        if (of.name.empty())
            of = std::move(family);
        else if (of.type == family.type)
            std::move(family.metric.begin(), family.metric.end(), std::back_inserter(of.metric));
    }
    drop_lines_of_histograms(by_name);
    std::vector<MetricFamily> made;
    for (auto& [name, family] : by_name) {
        drop_doubles(family);
        if (!family.metric.empty())
            made.push_back(std::move(family));
    }
    return made;
}

std::string as_text(const std::vector<MetricFamily>& families) {
    std::ostringstream out;
    const prometheus::TextSerializer serializer;
    serializer.Serialize(out, families);
    return std::move(out).str();
}

std::string as_json(const std::vector<MetricFamily>& families) {
    json::array metrics;
    for (const auto& family : families) {
        json::object made;
        made["name"] = family.name;
        made["type"] = json::string_view{name_of(family.type).data(), name_of(family.type).size()};
        made["help"] = family.help;
        json::array series;
        for (const auto& metric : family.metric)
            series.push_back(json_of(family, metric));
        made["series"] = std::move(series);
        metrics.push_back(std::move(made));
    }
    json::object whole;
    whole["metrics"] = std::move(metrics);
    return json::serialize(whole);
}

}  // namespace workerd::observe
