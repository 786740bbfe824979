#include "observe/tracer.hpp"

#include "observe/http_sender.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace workerd::observe {

namespace {

namespace processors = libqueue::processors;
using libqueue::trace_context;

// What two ids of one job are made of.
constexpr std::uint64_t trace_half{0x7472616365};
constexpr std::uint64_t send_mark{0x73656e64};
constexpr int tries{3};
constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{5'000};
constexpr std::chrono::milliseconds goodbye{2'000};

std::uint64_t created(const libqueue::job& job) {
    return static_cast<std::uint64_t>(job.created_at.time_since_epoch().count());
}

std::int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// The value of meta.traceparent without reading the whole document: meta is JSON as PostgreSQL
/// prints it, and the value has no character that would be escaped.
std::string_view traceparent_in(std::string_view meta) {
    constexpr std::string_view name{R"("traceparent": ")"};
    const auto at = meta.find(name);
    if (at == std::string_view::npos)
        return {};
    meta.remove_prefix(at + name.size());
    return meta.substr(0, meta.find('"'));
}

bool is_failure(libqueue::outcome::type kind) {
    using type = libqueue::outcome::type;
    return kind == type::retry || kind == type::discard || kind == type::unknown;
}

void describe(span& of, const libqueue::job& job, std::string_view operation) {
    of.texts = {{"messaging.system", "libqueue"},
                {"messaging.operation.type", std::string{operation}},
                {"messaging.operation.name", std::string{operation}},
                {"messaging.destination.name", job.queue},
                {"messaging.message.id", std::to_string(job.id)},
                {"libqueue.job.kind", job.kind}};
}

bool is_worth_repeating(const processors::http_response& answer) {
    if (answer.end != processors::http_end::answered)
        return answer.end == processors::http_end::failed;
    return answer.status == 429 || answer.status == 502 || answer.status == 503 ||
           answer.status == 504;
}

}  // namespace

std::optional<job_trace> trace_of(const tracing_options& given, const libqueue::job& job,
                                  std::string_view enqueued) {
    const auto from = trace_context::parse(enqueued);
    const std::uint64_t mark = created(job);
    const auto id = static_cast<std::uint64_t>(job.id);
    trace_context own{libqueue::spread_id(id, mark), libqueue::spread_id(id, mark ^ trace_half), 1,
                      true};
    if (from && given.follow)
        own.sampled = from->sampled;
    else
        own.sampled = static_cast<double>(own.trace_low >> 11U) * 0x1.0p-53 < given.ratio;
    if (!own.sampled)
        return std::nullopt;
    job_trace made;
    if (from) {
        made.parent = from->span;
        made.enqueue = *from;
        made.enqueue.sampled = true;
    } else {
        made.enqueue = own;
    }
    made.enqueue.span = libqueue::spread_id(id ^ send_mark, mark);
    const auto lease = static_cast<std::uint64_t>(job.lease);
    made.run = made.enqueue;
    if (!given.as_child) {
        made.run.trace_high = libqueue::spread_id(id, lease ^ mark);
        made.run.trace_low = libqueue::spread_id(lease, id ^ mark);
    }
    made.run.span = libqueue::spread_id(id, lease);
    return made;
}

tracer::tracer(const tracing_options& given, logger& log) : given_{given}, log_{log} {}

tracer::~tracer() {
    stop();
}

void tracer::start() {
    if (on())
        thread_ = std::jthread{[this](const std::stop_token& stop) {
            run(stop);
        }};
}

void tracer::stop() {
    if (!thread_.joinable())
        return;
    thread_.request_stop();
    {
        std::unique_lock lock{mutex_};
        if (!woken_.wait_for(lock, goodbye, [this] { return ended_; }))
            hurry_.request_stop();
    }
    thread_.join();
}

std::string tracer::trace_run(const libqueue::job& run, std::string_view enqueued) const {
    const auto found = on() ? trace_of(given_, run, enqueued) : std::nullopt;
    return found ? found->run.header() : std::string{enqueued};
}

void tracer::on_event(const libqueue::event& e) {
    if (!on() || e.job == nullptr)
        return;
    if (e.type == libqueue::event_type::call_made) {
        const auto at = trace_context::parse(e.call->traceparent);
        const auto of = trace_of(given_, *e.job, traceparent_in(e.job->meta));
        if (!at || !of || at->trace_low != of->run.trace_low || at->span == of->run.span)
            return;
        span made{*at, e.call->method, span::kind::client};
        made.parent = of->run.span;
        made.begin_us = e.call->started_at.time_since_epoch().count();
        made.end_us = made.begin_us + e.call->duration.count();
        made.texts = {{"http.request.method", e.call->method}, {"server.address", e.call->host}};
        if (e.call->status != 0)
            made.numbers.emplace_back("http.response.status_code", e.call->status);
        made.failed = e.call->status == 0 || e.call->status >= 400;
        if (made.failed)
            made.texts.emplace_back("error.type", e.call->status == 0
                                                      ? e.call->error_type
                                                      : std::to_string(e.call->status));
        add(std::move(made));
        return;
    }
    if (e.type != libqueue::event_type::job_finished)
        return;
    const auto of = trace_of(given_, *e.job, traceparent_in(e.job->meta));
    if (!of)
        return;
    if (e.job->attempt == 1 && !e.job->reconcile) {
        span sent{of->enqueue, "send " + e.job->queue, span::kind::producer};
        sent.parent = of->parent;
        sent.begin_us = e.job->created_at.time_since_epoch().count();
        sent.end_us = sent.begin_us;
        describe(sent, *e.job, "send");
        add(std::move(sent));
    }
    span made{of->run, "process " + e.job->queue, span::kind::consumer};
    made.parent = given_.as_child ? of->enqueue.span : 0;
    made.links.push_back(of->enqueue);
    made.end_us = now_us();
    made.begin_us = made.end_us - e.duration.count();
    describe(made, *e.job, "process");
    made.texts.emplace_back("libqueue.job.outcome", std::string{to_string(e.outcome)});
    made.numbers.emplace_back("libqueue.job.attempt", e.job->attempt);
    made.failed = is_failure(e.outcome);
    if (made.failed)
        made.texts.emplace_back("error.type", std::string{to_string(e.outcome)});
    add(std::move(made));
}

void tracer::add(span made) {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= static_cast<std::size_t>(given_.queue_size)) {
        ++dropped_;
        return;
    }
    waiting_.push_back(std::move(made));
    if (waiting_.size() == static_cast<std::size_t>(given_.batch_size))
        woken_.notify_one();
}

std::uint64_t tracer::exported() const {
    const std::lock_guard lock{mutex_};
    return exported_;
}

std::uint64_t tracer::dropped() const {
    const std::lock_guard lock{mutex_};
    return dropped_;
}

std::vector<span> tracer::wait_for_batch(const std::stop_token& stop) {
    const auto size = static_cast<std::size_t>(given_.batch_size);
    std::unique_lock lock{mutex_};
    woken_.wait_for(lock, stop, given_.interval, [&] { return waiting_.size() >= size; });
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(size, waiting_.size()));
    std::vector<span> batch{std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(end)};
    waiting_.erase(waiting_.begin(), end);
    return batch;
}

void tracer::run(const std::stop_token& stop) {
    http_sender by{log_};
    auto leave_at = std::chrono::steady_clock::time_point::max();
    while (true) {
        auto batch = wait_for_batch(stop);
        if (stop.stop_requested() && leave_at == std::chrono::steady_clock::time_point::max())
            leave_at = std::chrono::steady_clock::now() + goodbye;
        const bool is_late = std::chrono::steady_clock::now() >= leave_at;
        if (stop.stop_requested() && (batch.empty() || is_late)) {
            const std::lock_guard lock{mutex_};
            dropped_ += batch.size() + waiting_.size();
            ended_ = true;
            woken_.notify_all();
            return;
        }
        if (!batch.empty())
            send(by, batch, stop);
    }
}

void tracer::send(http_sender& by, const std::vector<span>& batch, const std::stop_token& stop) {
    processors::http_request request{given_.endpoint, otlp_json(batch, given_.resource)};
    request.set("content-type", "application/json");
    for (const auto& [name, value] : given_.headers)
        request.set(name, value);
    request.ca_file = given_.ca_file;
    request.allow_http = true;  // the operator's own collector, most often on this host
    request.addresses = processors::address_policy::any;
    auto pause = first_pause;
    for (int made = 1;; ++made) {
        const auto timeout =
            stop.stop_requested() ? std::min(given_.timeout, goodbye) : given_.timeout;
        const auto answer = by.send(request, hurry_.get_token(), timeout);
        if (answer.end == processors::http_end::answered && answer.status >= 200 &&
            answer.status < 300) {
            const auto rejected = static_cast<std::uint64_t>(std::clamp<std::int64_t>(
                rejected_spans(answer.body), 0, static_cast<std::int64_t>(batch.size())));
            const std::lock_guard lock{mutex_};
            exported_ += batch.size() - rejected;
            dropped_ += rejected;
            failing_ = false;
            return;
        }
        if (made >= tries || !is_worth_repeating(answer) || stop.stop_requested()) {
            note("the collector of traces did not take a batch; it is dropped", answer.status);
            const std::lock_guard lock{mutex_};
            dropped_ += batch.size();
            return;
        }
        const auto asked = processors::retry_after_of(answer, std::chrono::system_clock::now());
        std::unique_lock lock{mutex_};
        static_cast<void>(woken_.wait_for(lock, stop,
                                          std::clamp(asked.value_or(pause), pause, longest_pause),
                                          [] { return false; }));
        pause *= 2;
    }
}

/// Once until it works again.
void tracer::note(const char* what, long status) {
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(failing_, true))
            return;
    }
    log_.warn("traces_dropped", what, {{"status", static_cast<int>(status)}});
}

}  // namespace workerd::observe
