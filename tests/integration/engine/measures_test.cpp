#include "rig.hpp"

#include <doctest/doctest.h>

#include <map>
#include <mutex>
#include <string>

TEST_SUITE_BEGIN("measures");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::job_context;
using libqueue::outcome;

namespace {

/// Adds up what it is told; traces every run.
class listener final : public libqueue::observer {
   public:
    void on_event(const libqueue::event& e) noexcept override {
        const std::lock_guard lock{mutex_};
        if (e.type == libqueue::event_type::job_measured) {
            const bool adds = e.measured->what == libqueue::measure::type::count;
            double& sum = sums_[e.measured->name];
            sum = e.measured->value + (adds ? sum : 0);
        } else if (e.type == libqueue::event_type::call_made) {
            calls_ += e.call->method + " " + e.call->host + " " + e.call->traceparent + ";";
        } else if (e.type == libqueue::event_type::job_finished) {
            waited_ = std::max(waited_, e.waited);
            ++finished_;
        } else if (e.type == libqueue::event_type::job_started) {
            ++started_;
        } else if (e.type == libqueue::event_type::jobs_claimed) {
            claimed_ += e.count;
        }
    }
    [[nodiscard]] bool wants_starts() const noexcept override { return false; }
    [[nodiscard]] std::string trace_run(const libqueue::job& run,
                                        std::string_view enqueued) const override {
        return "run-" + std::to_string(run.id) + "-of-" + std::string{enqueued};
    }

    [[nodiscard]] double sum(const std::string& name) {
        const std::lock_guard lock{mutex_};
        return sums_[name];
    }
    [[nodiscard]] std::string calls() {
        const std::lock_guard lock{mutex_};
        return calls_;
    }
    [[nodiscard]] std::int64_t finished() {
        const std::lock_guard lock{mutex_};
        return finished_;
    }
    [[nodiscard]] std::int64_t started() {
        const std::lock_guard lock{mutex_};
        return started_;
    }
    [[nodiscard]] std::int64_t claimed() {
        const std::lock_guard lock{mutex_};
        return claimed_;
    }
    [[nodiscard]] std::chrono::microseconds waited() {
        const std::lock_guard lock{mutex_};
        return waited_;
    }

   private:
    std::mutex mutex_;
    std::map<std::string, double> sums_;
    std::string calls_;
    std::int64_t finished_{0};
    std::int64_t started_{0};
    std::int64_t claimed_{0};
    std::chrono::microseconds waited_{0};
};

libqueue::worker_options observed_by(rig& t, listener& by) {
    auto options = t.options();
    options.observer = &by;
    return options;
}

}  // namespace

TEST_CASE("measures: what handlers count is told with the end of their runs, on either thread") {
    rig t;
    listener heard;
    const auto worker = t.start({coroutine("loop",
                                           [](job_context& context) -> awaitable<outcome> {
                                               context.count("sold_total", 2, {{"venue", "north"}});
                                               context.level("left_units", 5);
                                               co_return libqueue::completed();
                                           }),
                                 blocking("pool",
                                          [](job_context& context) {
                                              context.count("sold_total");
                                              context.level("left_units", 4);
                                              return libqueue::completed();
                                          })},
                                observed_by(t, heard));

    static_cast<void>(t.enqueue_many("loop", 3));
    REQUIRE(t.wait_finished(3));
    t.enqueue("pool");
    REQUIRE(t.wait_finished(4));

    CHECK(heard.sum("sold_total") == 7);
    CHECK(heard.sum("left_units") == 4);
    CHECK(heard.finished() == 4);
    CHECK(heard.started() == 0);
    CHECK(heard.claimed() == 4);
}

TEST_CASE("measures: a name that is none is refused where it is written, a value never is") {
    rig t;
    std::string said;
    const auto worker = t.start({blocking("wrong", [&said](job_context& context) {
        const auto refused = [&](const std::string& name, libqueue::measure_labels labels) {
            try {
                context.count(name, 1, std::move(labels));
                said += "taken\n";
            } catch (const libqueue::domain_failure& why) {
                said += why.why().message + '\n';
            }
        };
        refused("Sold total", {});
        refused("libqueue_sold_total", {});
        refused("sold_total", {{"Venue", "north"}});
        refused("sold_total", {{"venue", "north"}, {"venue", "south"}});
        refused("sold_total", {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}, {"e", ""}, {"f", ""}});
        refused("sold_total", {{"venue", "\xff\n\"" + std::string(9'000, 'x')}});
        return libqueue::completed();
    })});

    t.enqueue("wrong");

    REQUIRE(t.wait_finished(1));
    const std::string rule{
        "expected a name of a-z 0-9 _ that begins with a letter and not with libqueue_, got "};
    CHECK(said == "measure: " + rule + "'Sold total'\nmeasure: " + rule +
                      "'libqueue_sold_total'\nlabel of sold_total: " + rule +
                      "'Venue'\nlabels of sold_total: expected each name once, got 'venue'\n"
                      "measure sold_total: expected at most 5 labels, got '6'\ntaken\n");
}

TEST_CASE("measures: what could not be recorded is not counted") {
    rig t;
    listener heard;
    auto kind = coroutine("buy", [](job_context& context) -> awaitable<outcome> {
        context.count("bought_total");
        outcome said = libqueue::completed();
        if (context.job().attempt == 1) {
            libqueue::statement broken{"SELECT 1 / 0"};
            said = std::move(said).also(std::move(broken));
        }
        co_return said;
    });
    kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed, 1ms, 1ms, false};
    const auto worker = t.start({std::move(kind)}, observed_by(t, heard));

    const auto id = t.enqueue("buy");

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "failed completed");
    CHECK(heard.sum("bought_total") == 1);
}

TEST_CASE("measures: a run that counts without end is cut off at a hundred") {
    rig t;
    listener heard;
    const auto worker = t.start({blocking("loud",
                                          [](job_context& context) {
                                              for (int i = 0; i < 1'000; ++i) {
                                                  context.count("noise_total");
                                              }
                                              return libqueue::completed();
                                          })},
                                observed_by(t, heard));

    t.enqueue("loud");

    REQUIRE(t.wait_finished(1));
    CHECK(heard.sum("noise_total") == 100);
}

TEST_CASE("measures: a run's context is the observer's, and its requests are told of") {
    rig t;
    listener heard;
    const auto worker = t.start({blocking("call",
                                          [](job_context& context) {
                                              libqueue::outbound_call made{"GET", "example.com"};
                                              made.traceparent = context.traceparent();
                                              context.call_made(std::move(made));
                                              return context.traced() ? libqueue::completed()
                                                                      : libqueue::discard("no");
                                          })},
                                observed_by(t, heard));

    const auto id = t.enqueue("call", "{}", "traceparent => 'tp'");

    REQUIRE(t.wait_state(id, "completed"));
    worker->stop();
    CHECK(heard.calls() == "GET example.com run-" + std::to_string(id) + "-of-tp;");
}

TEST_CASE("measures: how long a job waited is told, and not below zero") {
    rig t;
    listener heard;
    t.enqueue("noop");
    t.db.execute("UPDATE queue.ready SET run_at = run_at - interval '90 s'");
    const auto worker = t.start({noop()}, observed_by(t, heard));

    REQUIRE(t.wait_finished(1));

    CHECK(heard.waited() > 80s);
    CHECK(heard.waited() < 200s);
}

TEST_SUITE_END();
