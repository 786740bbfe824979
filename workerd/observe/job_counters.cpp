#include "observe/job_counters.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace workerd::observe {

namespace {

namespace json = boost::json;

constexpr auto bounds_us = [] {
    std::array<std::int64_t, libqueue::sample_bounds.size()> made{};
    for (std::size_t i = 0; i < made.size(); ++i)
        made.at(i) = static_cast<std::int64_t>(libqueue::sample_bounds.at(i) * 1e6 + 0.5);
    return made;
}();

constexpr std::string_view other{"other"};

std::size_t index_of(libqueue::outcome::type kind) noexcept {
    return static_cast<std::size_t>(kind);
}

std::chrono::microseconds age_of(const libqueue::job& job) {
    return std::max(std::chrono::microseconds{0},
                    std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::system_clock::now() - job.created_at));
}

json::array array_of(const time_histogram::counts& now, const time_histogram::counts& before) {
    json::array made;
    for (std::size_t i = 0; i < now.size(); ++i)
        made.emplace_back(now.at(i) - before.at(i));
    return made;
}

}  // namespace

void time_histogram::add(std::chrono::microseconds time) noexcept {
    const auto* const place = std::lower_bound(bounds_us.begin(), bounds_us.end(), time.count());
    counts_[static_cast<std::size_t>(place - bounds_us.begin())].add(1);
    sum_us_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count())));
}

time_histogram::counts time_histogram::read() const noexcept {
    counts now{};
    for (std::size_t i = 0; i < buckets; ++i)
        now[i] = counts_[i].value();
    return now;
}

double time_histogram::sum_seconds() const noexcept {
    return static_cast<double>(sum_us_.value()) / 1e6;
}

job_counters::job_counters() {
    names_.reserve(most);
}

void job_counters::on_event(const libqueue::event& e) noexcept {
    try {
        switch (e.type) {
            case libqueue::event_type::job_finished:
                count_end(e);
                return;
            case libqueue::event_type::job_dead:
                find(*e.job).kind->dead.add(1);
                return;
            case libqueue::event_type::job_timed_out:
                find(*e.job).kind->timed_out.add(1);
                return;
            case libqueue::event_type::jobs_rescued:
                rescued_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.count)));
                break;
            case libqueue::event_type::jobs_claimed:
                claims_[e.count > 0 ? 1 : 0].add(1);
                claimed_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.count)));
                claim_time_.add(e.duration);
                return;
            default:
                break;
        }
        happened_.at(static_cast<std::size_t>(e.type)).add(1);
    } catch (const std::exception&) {
        // Out of memory for a name: a count less is better than a worker less.
    }
}

void job_counters::count_end(const libqueue::event& e) {
    const place at = find(*e.job);
    if (e.job->kind == canary_kind) {
        at.queue->canary.add(age_of(*e.job));
        return;
    }
    at.kind->outcomes[index_of(e.outcome)].add(1);
    at.kind->run.add(e.duration);
    at.queue->wait.add(e.waited);
    if (e.outcome == libqueue::outcome::type::completed)
        at.queue->end_to_end.add(age_of(*e.job));
}

job_counters::place job_counters::find(const libqueue::job& job) {
    const pair_of_names names{job.queue, job.kind};
    if (last_.kind != nullptr && names == last_names_)
        return last_;
    const auto known = places_.find(names);
    if (known == places_.end())
        return make(job);
    last_names_ = known->first;
    last_ = known->second;
    return last_;
}

job_counters::place job_counters::make(const libqueue::job& job) {
    place made;
    made.queue = &queue_of(job.queue);
    if (kinds_.size() < most) {
        auto& names = names_.emplace_back(
            std::make_unique<std::pair<std::string, std::string>>(job.queue, job.kind));
        made.kind = &kinds_.add(std::make_unique<kind_counters>(job.queue, job.kind));
        places_.emplace(pair_of_names{names->first, names->second}, made);
        return made;
    }
    if (kinds_.size() == most)
        static_cast<void>(
            kinds_.add(std::make_unique<kind_counters>(std::string{other}, std::string{other})));
    made.kind = &kinds_.at(most);
    return made;
}

queue_counters& job_counters::queue_of(std::string_view name) {
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        if (queues_.at(i).queue == name)
            return queues_.at(i);
    }
    if (queues_.size() < most)
        return queues_.add(std::make_unique<queue_counters>(std::string{name}));
    if (queues_.size() == most)
        return queues_.add(std::make_unique<queue_counters>(std::string{other}));
    return queues_.at(most);
}

void job_counters::each_kind(const std::function<void(const kind_counters&)>& with) const {
    for (std::size_t i = 0; i < kinds_.size(); ++i)
        with(kinds_.at(i));
}

void job_counters::each_queue(const std::function<void(const queue_counters&)>& with) const {
    for (std::size_t i = 0; i < queues_.size(); ++i)
        with(queues_.at(i));
}

std::uint64_t job_counters::happened(libqueue::event_type type) const noexcept {
    return happened_[static_cast<std::size_t>(type) % event_types].value();
}

std::unordered_map<std::string, sample_taker::totals> sample_taker::read() const {
    std::unordered_map<std::string, totals> now;
    from_.each_kind([&](const kind_counters& kind) {
        if (kind.kind == canary_kind)
            return;
        totals& of = now[kind.queue];
        const auto run = kind.run.read();
        for (std::size_t i = 0; i < outcome_count; ++i)
            of.outcomes.at(i) += kind.outcomes.at(i).value();
        for (std::size_t i = 0; i < run.size(); ++i)
            of.run.at(i) += run.at(i);
    });
    from_.each_queue([&](const queue_counters& queue) {
        const auto found = now.find(queue.queue);
        if (found != now.end())
            found->second.wait = queue.wait.read();
    });
    return now;
}

std::string sample_taker::take(const std::string& minute, const std::string& process) {
    static constexpr std::array<std::string_view, outcome_count> columns{
        "completed", "retried", "snoozed", "discarded", "cancelled", "unknown"};
    auto now = read();
    json::array made;
    for (const auto& [queue, of] : now) {
        const totals before = taken_[queue];
        if (of.outcomes == before.outcomes)
            continue;
        json::object sample;
        sample["at"] = minute;
        sample["queue"] = queue;
        sample["process"] = process;
        for (std::size_t i = 0; i < outcome_count; ++i)
            sample[json::string_view{columns.at(i).data(), columns.at(i).size()}] =
                of.outcomes.at(i) - before.outcomes.at(i);
        sample["wait_buckets"] = array_of(of.wait, before.wait);
        sample["run_buckets"] = array_of(of.run, before.run);
        made.push_back(std::move(sample));
    }
    taken_ = std::move(now);
    return made.empty() ? std::string{} : json::serialize(made);
}

}  // namespace workerd::observe
