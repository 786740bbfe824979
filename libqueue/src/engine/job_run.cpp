#include "engine/job_run.hpp"

#include "core/limits.hpp"
#include "engine/runtime.hpp"

#include <boost/asio/post.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace libqueue::engine {
namespace {

// So many lines do not wait for the next heartbeat.
constexpr std::size_t many_lines{100};
// Of one run.
constexpr std::size_t measures_most{100};

}  // namespace

void job_run::ask_to_stop(stop_reason why) {
    stop_reason none = stop_reason::none;
    if (!reason_.compare_exchange_strong(none, why, std::memory_order_acq_rel)) {
        return;
    }
    std::optional<std::stop_source> source;
    {
        const std::lock_guard lock{mutex_};
        source = stop_;
    }
    // Outside the lock: stop callbacks are the handler's code.
    if (source.has_value()) {
        source->request_stop();
    }
    if (sleeper_ != nullptr) {
        sleeper_->cancel();
    }
}

std::stop_token job_run::stop_token() {
    const std::lock_guard lock{mutex_};
    if (!stop_.has_value()) {
        stop_.emplace();
        if (reason() != stop_reason::none) {
            stop_->request_stop();
        }
    }
    return stop_->get_token();
}

void job_run::report_progress(double fraction, std::string text) {
    const std::lock_guard lock{mutex_};
    const double bounded = fraction > 0 ? (fraction < 1 ? fraction : 1) : 0;
    progress_.emplace(bounded, std::move(text));
}

std::optional<job_run::progress> job_run::take_progress() {
    const std::lock_guard lock{mutex_};
    std::optional<progress> latest = std::move(progress_);
    progress_.reset();
    return latest;
}

void job_run::note_requests(std::int64_t requests, std::int64_t errors) {
    const std::lock_guard lock{mutex_};
    provider_.requests += requests;
    provider_.errors += errors;
}

void job_run::note_throttled(std::chrono::milliseconds time, std::string limit) {
    constexpr std::size_t most{100};  // a run that says it in a loop
    const std::lock_guard lock{mutex_};
    if (provider_.closings.size() < most) {
        provider_.closings.push_back({std::move(limit), std::min(time, limits::retry_after_max)});
    }
}

provider_words job_run::take_provider_words() {
    const std::lock_guard lock{mutex_};
    return std::exchange(provider_, {});
}

job_run::records& job_run::made_records() {
    if (records_ == nullptr) {
        records_ = std::make_unique<records>();
        has_records_.store(true, std::memory_order_release);
    }
    return *records_;
}

void job_run::log(log_level level, const std::string& text) {
    bool many = false;
    {
        const std::lock_guard lock{mutex_};
        run_log& lines = made_records().log;
        const std::size_t before = lines.waiting();
        lines.add(level, text, clock::now());
        many = before < many_lines && lines.waiting() == many_lines;
    }
    if (many) {
        boost::asio::post(io_, [beat = home->beat_soon] { beat(); });
    }
}

std::vector<log_line> job_run::take_log(bool last) {
    if (!has_records_.load(std::memory_order_acquire)) {
        return {};
    }
    const std::lock_guard lock{mutex_};
    return last ? records_->log.take_last(clock::now()) : records_->log.take();
}

void job_run::add_measure(measure what) {
    const std::lock_guard lock{mutex_};
    std::vector<measure>& all = made_records().measures;
    if (all.size() < measures_most) {
        all.push_back(std::move(what));
    }
}

void job_run::add_call(outbound_call what) {
    const std::lock_guard lock{mutex_};
    std::vector<outbound_call>& all = made_records().calls;
    if (all.size() < measures_most) {
        all.push_back(std::move(what));
    }
}

std::vector<measure> job_run::take_measures() {
    if (!has_records_.load(std::memory_order_acquire)) {
        return {};
    }
    const std::lock_guard lock{mutex_};
    return std::exchange(records_->measures, {});
}

std::vector<outbound_call> job_run::take_calls() {
    if (!has_records_.load(std::memory_order_acquire)) {
        return {};
    }
    const std::lock_guard lock{mutex_};
    return std::exchange(records_->calls, {});
}

bool job_run::open_effect(const std::string& step) {
    const std::lock_guard lock{mutex_};
    std::vector<std::string>& open = made_records().open_effects;
    if (std::find(open.begin(), open.end(), step) != open.end()) {
        return false;
    }
    open.push_back(step);
    return true;
}

void job_run::close_effect(const std::string& step) {
    const std::lock_guard lock{mutex_};
    std::erase(made_records().open_effects, step);
}

std::optional<std::string> job_run::open_effect() {
    if (!has_records_.load(std::memory_order_acquire)) {
        return std::nullopt;
    }
    const std::lock_guard lock{mutex_};
    const std::vector<std::string>& open = records_->open_effects;
    return open.empty() ? std::nullopt : std::optional{open.front()};
}

boost::asio::awaitable<bool> job_run::sleep(std::chrono::milliseconds time) {
    if (sleeper_ == nullptr) {
        sleeper_ = std::make_unique<boost::asio::steady_timer>(io_);
    }
    if (reason() != stop_reason::none) {
        co_return false;
    }
    sleeper_->expires_after(time);
    auto [ec] = co_await sleeper_->async_wait(use_ec);
    co_return !ec && reason() == stop_reason::none;
}

}  // namespace libqueue::engine

namespace libqueue {

const job& job_context::job() const noexcept {
    return run_.job;
}

std::chrono::steady_clock::time_point job_context::deadline() const noexcept {
    return run_.deadline;
}

std::chrono::milliseconds job_context::time_left() const noexcept {
    const auto left = run_.deadline - std::chrono::steady_clock::now();
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::duration_cast<std::chrono::milliseconds>(left));
}

stop_reason job_context::stop_reason() const noexcept {
    return run_.reason();
}

std::stop_token job_context::stop_token() const noexcept {
    return run_.stop_token();
}

namespace {

std::string meta_text(const std::string& meta, const char* key) {
    if (meta.empty()) {
        return {};
    }
    boost::system::error_code ec;
    const boost::json::value value = boost::json::parse(meta, ec);
    if (ec || !value.is_object()) {
        return {};
    }
    const boost::json::value* found = value.get_object().if_contains(key);
    return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                  : std::string{};
}

}  // namespace

std::string job_context::idempotency_key() const {
    std::string key = meta_text(run_.job.meta, "idempotency_key");
    return key.empty() ? "job:" + std::to_string(run_.job.id) : key;
}

namespace {

const observer* observer_of(const engine::job_run& run) noexcept {
    return run.home == nullptr ? nullptr : run.home->options.observer;
}

}  // namespace

std::string job_context::traceparent() const {
    std::string enqueued = meta_text(run_.job.meta, "traceparent");
    const observer* const traced_by = observer_of(run_);
    return traced_by == nullptr ? enqueued : traced_by->trace_run(run_.job, enqueued);
}

bool job_context::traced() const {
    const observer* const traced_by = observer_of(run_);
    const std::string enqueued = meta_text(run_.job.meta, "traceparent");
    return traced_by != nullptr && traced_by->trace_run(run_.job, enqueued) != enqueued;
}

namespace {

[[nodiscard]] bool is_measure_name(std::string_view name) noexcept {
    constexpr std::size_t longest{100};
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && name.size() <= longest && name.front() >= 'a' && name.front() <= 'z' &&
           std::all_of(name.begin(), name.end(), fits) && !name.starts_with("libqueue_");
}

[[noreturn]] void refuse_measure(const std::string& what, const std::string& expected,
                                 std::string_view got) {
    constexpr std::size_t shown{100};
    throw domain_failure{error{
        errc::invalid_argument,
        what + ": expected " + expected + ", got '" + std::string{got.substr(0, shown)} + "'"}};
}

/// Names come from the program, so a wrong one is told where it is written; values come from data
/// and are no fault of the call.
void check_measure(const std::string& name, const measure_labels& labels) {
    constexpr std::size_t labels_most{5};
    const std::string rule{"a name of a-z 0-9 _ that begins with a letter and not with libqueue_"};
    if (!is_measure_name(name)) {
        refuse_measure("measure", rule, name);
    }
    if (labels.size() > labels_most) {
        refuse_measure("measure " + name, "at most 5 labels", std::to_string(labels.size()));
    }
    for (auto each = labels.begin(); each != labels.end(); ++each) {
        if (!is_measure_name(each->first)) {
            refuse_measure("label of " + name, rule, each->first);
        }
        const auto same = [&](const auto& other) {
            return other.first == each->first;
        };
        if (std::any_of(labels.begin(), each, same)) {
            refuse_measure("labels of " + name, "each name once", each->first);
        }
    }
}

}  // namespace

void job_context::count(std::string name, double value, measure_labels labels) {
    check_measure(name, labels);
    if (observer_of(run_) != nullptr) {
        run_.add_measure(measure{measure::type::count, std::move(name), value, std::move(labels)});
    }
}

void job_context::level(std::string name, double value, measure_labels labels) {
    check_measure(name, labels);
    if (observer_of(run_) != nullptr) {
        run_.add_measure(measure{measure::type::level, std::move(name), value, std::move(labels)});
    }
}

void job_context::call_made(outbound_call what) {
    if (observer_of(run_) != nullptr) {
        run_.add_call(std::move(what));
    }
}

void job_context::progress(double fraction, std::string text) {
    run_.report_progress(fraction, std::move(text));
}

void job_context::provider_ok() {
    run_.note_requests(1, 0);
}

void job_context::provider_failed() {
    run_.note_requests(1, 1);
}

void job_context::provider_throttled(std::chrono::milliseconds retry_after, std::string limit) {
    run_.note_throttled(retry_after, std::move(limit));
}

void job_context::log(log_level level, std::string text) {
    run_.log(level, text);
}

boost::asio::awaitable<bool> job_context::sleep(std::chrono::milliseconds time) {
    return run_.sleep(time);
}

boost::asio::any_io_executor job_context::executor() const {
    return run_.io().get_executor();
}

}  // namespace libqueue
