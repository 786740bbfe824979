#include "observe/keeper.hpp"

#include "observe/alert_rules.hpp"

#include <libqueue/error.hpp>
#include <libqueue/samples.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace workerd::observe {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto tick = 1s;
/// The duty passes on when its holder has not looked three times.
constexpr int patience = 3;
/// Looking may take at most this share of the time.
constexpr int share = 20;
constexpr std::size_t minutes_kept = 240;
constexpr std::string_view duty{"observe"};
constexpr std::size_t levels_kept = 200;

std::int64_t minute_now() {
    return std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now())
        .time_since_epoch()
        .count();
}

std::string minute_text(std::int64_t minute) {
    const std::time_t seconds = minute * 60;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:00Z", &parts);
    return {text.data(), size};
}

metric_set::labels labels_of(const std::string& text) {
    metric_set::labels made;
    boost::system::error_code ec;
    const json::value value = json::parse(text, ec);
    if (ec || !value.is_object())
        return made;
    for (const auto& [name, of] : value.get_object()) {
        if (of.is_string())
            made.emplace_back(std::string{name}, std::string{of.get_string()});
    }
    return made;
}

double number_of(const std::optional<std::string>& text) {
    return text ? std::strtod(text->c_str(), nullptr) : 0;
}

}  // namespace

keeper::keeper(const options& given, libqueue::client_options database, const job_counters& jobs,
               metric_set& told, metric_set& database_gauges, logger& log)
    : given_{given},
      log_{log},
      gauges_{database_gauges},
      minutes_{jobs},
      notifier_{told, log},
      client_{std::move(database)},
      look_{client_},
      alerts_{client_},
      minute_{minute_now()} {}

keeper::~keeper() {
    stop();
}

void keeper::start(std::function<bool()> ready) {
    ready_ = std::move(ready);
    thread_ = std::thread{[this] {
        run();
    }};
}

void keeper::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    notifier_.stop();
    woken_.notify_all();
    if (thread_.joinable())
        thread_.join();
}

void keeper::run() {
    bool last = false;
    while (!last) {
        {
            std::unique_lock lock{mutex_};
            last = woken_.wait_for(lock, tick, [this] { return stopping_; });
        }
        if (ready_ && ready_())
            ready_ = {};
        if (ready_ && last)
            take_minute();
        // Never there, and nothing to write: leaving must not wait for a database.
        if (ready_ && (!last || unwritten_.empty()))
            continue;
        try {
            round(last);
            if (std::exchange(away_, false))
                log_.info("observe_back", "the database can be observed again");
        } catch (const std::exception& error) {
            // What is wrong with the database the worker's log says, too.
            notifier_.pause();
            leads_ = false;
            gauges_.replace({});
            next_look_ = clock::now() + given_.look_interval;
            if (!std::exchange(away_, true))
                log_.warn("observe_failed", "the database cannot be observed; trying again",
                          {{"err.code", "database"}, {"err.msg", error.what()}});
        }
    }
}

void keeper::round(bool last) {
    if (minute_now() != minute_ || last)
        take_minute();
    if (away_ && !last && clock::now() < next_look_)
        return;
    write_minutes();
    notifier_.note_told(alerts_);
    if (clock::now() >= next_look_ && !last)
        look();
    if (last) {
        write_levels();
        notifier_.finish(alerts_);
        static_cast<void>(look_.hold_duty(duty, given_.holder, 0ms));
        leads_ = false;
    }
}

void keeper::take_minute() {
    auto ended = minutes_.take(minute_text(minute_), given_.holder);
    minute_ = minute_now();
    if (ended.empty())
        return;
    unwritten_.push_back(std::move(ended));
    if (unwritten_.size() > minutes_kept)
        unwritten_.pop_front();
}

void keeper::write_minutes() {
    while (!unwritten_.empty()) {
        libqueue::samples{client_}.put(unwritten_.front());
        unwritten_.pop_front();
    }
}

void keeper::put_level(const libqueue::measure& told) {
    json::object labels;
    for (const auto& [name, value] : told.labels)
        labels[name] = value;
    const std::string key = told.name + json::serialize(labels);
    json::object made;
    made["name"] = told.name;
    made["labels"] = std::move(labels);
    made["value"] = told.value;
    const std::lock_guard lock{mutex_};
    if (levels_.size() < levels_kept || levels_.contains(key))
        levels_[key] = std::move(made);
}

/// What handlers told must not keep the keeper from its work: what the database refuses once it
/// would refuse again, and is dropped.
void keeper::write_levels() {
    std::map<std::string, json::object> taken;
    {
        const std::lock_guard lock{mutex_};
        taken = std::exchange(levels_, {});
    }
    if (taken.empty())
        return;
    json::array all;
    for (const auto& [key, level] : taken)
        all.push_back(level);
    try {
        look_.put_levels(json::serialize(all));
    } catch (const std::exception& error) {
        const auto* const from = dynamic_cast<const libqueue::failure*>(&error);
        if (from != nullptr && from->poisons_connection()) {
            // Those that were told meanwhile stay.
            const std::lock_guard lock{mutex_};
            levels_.merge(taken);
            return;
        }
        log_.warn("levels_refused", "the database did not take levels that handlers told of",
                  {{"levels", static_cast<std::int64_t>(all.size())},
                   {"err.code", "database"},
                   {"err.msg", error.what()}});
    }
}

void keeper::look() {
    const auto begun = clock::now();
    next_look_ = begun + given_.look_interval;
    clock_offset_ms_ = look_.clock_offset().count();
    write_levels();
    const auto hold = std::max<std::chrono::milliseconds>(patience * given_.look_interval, 5s);
    if (!look_.hold_duty(duty, given_.holder, hold)) {
        notifier_.pause();
        leads_ = false;
        gauges_.replace({});
        canaries_.clear();
        return;
    }
    leads_ = true;
    const auto asked = clock::now();
    const auto found = look_.gauges();
    const auto took = clock::now() - asked;
    ask_canaries();
    if (given_.canary_interval > 0ms && begun >= next_canary_) {
        next_canary_ = begun + given_.canary_interval;
        send_canaries();
    }
    keep_gauges(found, std::chrono::duration<double>{took}.count());
    write_depths();
    if (given_.alerts)
        evaluate();
    next_look_ = std::max(next_look_, clock::now() + took * share);
    if (given_.alerts)
        notifier_.tell_untold(alerts_);
}

void keeper::keep_gauges(const libqueue::report& gauges, double took) {
    std::vector<metric_set::value_of> all;
    for (const auto& row : gauges.rows)
        all.emplace_back(row.at(0).value_or(""), labels_of(row.at(1).value_or("{}")),
                         number_of(row.at(2)));
    add_unhandled(all);
    for (const auto& [queue, sent] : canaries_)
        all.emplace_back("libqueue_canary_age_seconds", metric_set::labels{{"queue", queue}},
                         sent.first == 0
                             ? 0
                             : std::chrono::duration<double>{clock::now() - sent.second}.count());
    all.emplace_back("libqueue_gauges_seconds", metric_set::labels{}, took);
    gauges_.replace(all);
}

void keeper::add_unhandled(std::vector<metric_set::value_of>& to) {
    std::map<std::string, double> by_kind;
    for (const auto& row : libqueue::operations{client_}.unhandled_kinds().rows)
        by_kind[row.at(1).value_or("")] += number_of(row.at(2));
    for (const auto& [kind, waiting] : by_kind)
        to.emplace_back("libqueue_unhandled_jobs", metric_set::labels{{"kind", kind}}, waiting);
}

/// Once a minute, what stands in each queue.
void keeper::write_depths() {
    const std::int64_t minute = minute_now();
    if (depths_of_ == minute)
        return;
    depths_of_ = minute;
    std::map<std::string, json::object> by_queue;
    for (const auto& family : gauges_.collect()) {
        const bool jobs = family.name == "libqueue_queue_jobs";
        if (!jobs && family.name != "libqueue_queue_oldest_waiting_seconds")
            continue;
        for (const auto& metric : family.metric) {
            auto& sample = by_queue[metric.label.at(0).value];
            if (jobs)
                sample[metric.label.at(1).value] = static_cast<std::int64_t>(metric.gauge.value);
            else
                sample["oldest_seconds"] = metric.gauge.value;
        }
    }
    json::array all;
    for (auto& [queue, sample] : by_queue) {
        sample["at"] = minute_text(minute);
        sample["queue"] = queue;
        all.push_back(std::move(sample));
    }
    if (!all.empty())
        libqueue::samples{client_}.put(json::serialize(all));
}

/// One that has arrived, or is gone, is on its way no more.
void keeper::ask_canaries() {
    for (auto& [queue, sent] : canaries_) {
        if (sent.first == 0)
            continue;
        const auto job = client_.get(sent.first);
        if (!job.has_value() || job->finished_at.has_value())
            sent.first = 0;
    }
}

/// One at a time on its way in each queue: a queue that stands still is not filled with them.
void keeper::send_canaries() {
    std::map<std::string, std::pair<libqueue::job_id, clock::time_point>> on_their_way;
    for (const auto& queue : look_.queues_handling(canary_kind)) {
        const auto sent = canaries_.find(queue);
        if (sent != canaries_.end() && sent->second.first != 0) {
            on_their_way.insert(*sent);
            continue;
        }
        libqueue::new_job canary{std::string{canary_kind}, "{}"};
        canary.queue = queue;
        canary.priority = 0;
        const auto made = client_.enqueue(canary);
        on_their_way.emplace(queue, std::pair{made.has_value() ? made->id : 0, clock::now()});
    }
    canaries_ = std::move(on_their_way);
}

void keeper::evaluate() {
    alert_facts facts;
    for (const auto& family : gauges_.collect()) {
        for (const auto& metric : family.metric)
            facts.add(family.name, metric);
    }
    for (const auto& row : look_.failures(std::chrono::minutes{10}).rows)
        facts.failures[row.at(0).value_or("")] = number_of(row.at(1));
    libqueue::alert_ends ends;
    ends.channels = given_.end_channels;
    ends.after = given_.end_after;
    const auto changed = alerts_.update(firing(given_.rules, facts), ends);
    if (!changed.rows.empty() &&
        (number_of(changed.rows[0].at(0)) > 0 || number_of(changed.rows[0].at(1)) > 0))
        log_.info("alerts_changed", "alerts began or ended",
                  {{"raised", changed.rows[0].at(0).value_or("0")},
                   {"resolved", changed.rows[0].at(1).value_or("0")}});
}

}  // namespace workerd::observe
