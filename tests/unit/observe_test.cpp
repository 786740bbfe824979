#include "logging/line_format.hpp"
#include "observe/alert_rules.hpp"
#include "observe/exposition.hpp"
#include "observe/job_counters.hpp"
#include "observe/metric_set.hpp"
#include "observe/observability.hpp"
#include "observe/spans.hpp"
#include "observe/tracer.hpp"

#include <libqueue/trace_context.hpp>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <limits>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace workerd::observe;

namespace {

constexpr const char* parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

libqueue::job job_of(std::string queue, std::string kind, libqueue::job_id id = 7) {
    libqueue::job made;
    made.id = id;
    made.lease = 3;
    made.queue = std::move(queue);
    made.kind = std::move(kind);
    made.created_at = std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now() - 2s);
    return made;
}

void finish(job_counters& in, const libqueue::job& job, libqueue::outcome::type outcome,
            std::chrono::microseconds ran = 3ms, std::chrono::microseconds waited = 40ms) {
    libqueue::event e{libqueue::event_type::job_finished};
    e.job = &job;
    e.outcome = outcome;
    e.duration = ran;
    e.waited = waited;
    in.on_event(e);
}

std::string text_of(const job_counters& jobs) {
    return as_text(in_order(families_of(jobs)));
}

bool has(const std::string& text, const std::string& line) {
    return text.find(line) != std::string::npos;
}

/// What a strict reader of the text format 0.0.4 has against it; empty: nothing.
std::string faults_of(const std::string& text) {
    std::istringstream lines{text};
    std::set<std::string> typed;
    std::set<std::string> series;
    std::string faults;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            const auto name = line.substr(7, line.find(' ', 7) - 7);
            faults += typed.insert(name).second ? "" : "typed twice: " + line + '\n';
        }
        if (line.empty() || line.front() == '#')
            continue;
        static const std::string label{R"([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")"};
        static const std::regex shape{"[a-z_][a-z0-9_]*(\\{(" + label +
                                      ",?)+\\})? [-+.0-9a-zA-Z]+"};
        if (!std::regex_match(line, shape))
            faults += "no series: " + line + '\n';
        if (line.size() > 1'000)
            faults += "long: " + line.substr(0, 100) + '\n';
        if (workerd::clean_text(line, line.size()) != line)
            faults += "no UTF-8: " + line + '\n';
        if (!series.insert(line.substr(0, line.rfind(' '))).second)
            faults += "twice: " + line + '\n';
    }
    return faults;
}

prometheus::ClientMetric gauge(double value, std::string label, std::string of) {
    prometheus::ClientMetric made;
    made.label.push_back({std::move(label), std::move(of)});
    made.gauge.value = value;
    return made;
}

}  // namespace

TEST_SUITE("observe") {
    TEST_CASE("counters: every end of a run counts once, under its queue, kind and outcome") {
        job_counters jobs;
        const auto mail = job_of("mail", "email.send");
        for (int i = 0; i < 5; ++i)
            finish(jobs, mail, libqueue::outcome::type::completed);
        finish(jobs, mail, libqueue::outcome::type::retry);
        finish(jobs, job_of("money", "payment.process"), libqueue::outcome::type::discard);

        const auto text = text_of(jobs);

        const std::string mails{R"(libqueue_jobs_finished_total{queue="mail",kind="email.send",)"};
        CHECK(has(text, mails + R"(outcome="completed"} 5)"));
        CHECK(has(text, mails + R"(outcome="retry"} 1)"));
        CHECK(has(text, R"(queue_jobs_processed_total{queue="mail"} 5)"));
        CHECK(has(text, R"(queue_jobs_failed_total{queue="money"} 1)"));
        CHECK(has(text, R"(libqueue_job_run_seconds_count{queue="mail",kind="email.send"} 6)"));
        CHECK(has(text, R"(libqueue_job_wait_seconds_bucket{queue="mail",le="0.025"} 0)"));
        CHECK(has(text, R"(libqueue_job_wait_seconds_bucket{queue="mail",le="0.05"} 6)"));
    }

    TEST_CASE("counters: a canary is in no count but its own") {
        job_counters jobs;
        finish(jobs, job_of("mail", std::string{canary_kind}), libqueue::outcome::type::completed);

        const auto text = text_of(jobs);

        CHECK(has(text, R"(libqueue_canary_seconds_count{queue="mail"} 1)"));
        CHECK(!has(text, "queue.canary"));
        CHECK(has(text, R"(libqueue_job_wait_seconds_count{queue="mail"} 0)"));
        sample_taker taker{jobs};
        CHECK(taker.take("2026-11-21T10:00:00Z", "p").empty());
    }

    TEST_CASE("counters: beyond 200 kinds the rest is counted as other, and nothing is lost") {
        job_counters jobs;
        for (int i = 0; i < 250; ++i)
            finish(jobs, job_of("q", "kind." + std::to_string(i)),
                   libqueue::outcome::type::completed);

        const auto text = text_of(jobs);

        CHECK(has(text, R"(kind="kind.199",outcome="completed"} 1)"));
        CHECK(!has(text, R"(kind="kind.200")"));
        CHECK(has(
            text,
            R"(libqueue_jobs_finished_total{queue="other",kind="other",outcome="completed"} 50)"));
    }

    TEST_CASE("samples: each minute has what ended in it, and a quiet one nothing") {
        job_counters jobs;
        sample_taker taker{jobs};
        const auto mail = job_of("mail", "email.send");
        finish(jobs, mail, libqueue::outcome::type::completed);
        finish(jobs, mail, libqueue::outcome::type::completed);
        const auto first = boost::json::parse(taker.take("2026-11-21T10:00:00Z", "p"));
        CHECK(taker.take("2026-11-21T10:01:00Z", "p").empty());
        finish(jobs, mail, libqueue::outcome::type::retry);
        const auto third = boost::json::parse(taker.take("2026-11-21T10:02:00Z", "p"));

        CHECK(first.at_pointer("/0/completed").to_number<int>() == 2);
        CHECK(first.at_pointer("/0/retried").to_number<int>() == 0);
        CHECK(first.at_pointer("/0/wait_buckets").as_array().size() == 20);
        CHECK(third.at_pointer("/0/completed").to_number<int>() == 0);
        CHECK(third.at_pointer("/0/retried").to_number<int>() == 1);
    }

    TEST_CASE("metrics: the 201st series of a name is other") {
        metric_set all;
        for (int i = 0; i < 230; ++i)
            all.add("webhooks_sent_total", {{"host", std::to_string(i)}});

        const auto text = as_text(all.collect());

        CHECK(has(text, R"(webhooks_sent_total{host="199"} 1)"));
        CHECK(has(text, R"(webhooks_sent_total{host="other"} 30)"));
        CHECK(all.folded() == 30);

        // Names of labels that go on and on are bounded, too.
        for (int i = 0; i < 50; ++i)
            all.add("webhooks_sent_total", {{"host_" + std::to_string(i), "a"}});
        CHECK(all.collect().front().metric.size() == 211);
        CHECK(all.value("webhooks_sent_total", {}, 0) == 41);
    }

    TEST_CASE("metrics: a name keeps the type it was first told with, and there are 500 at most") {
        metric_set all;
        all.observe("http_request_duration_seconds", {{"method", "GET"}}, 0.2);
        all.add("http_request_duration_seconds", {{"by", "a handler"}});
        all.set("http_request_duration_seconds", {{"by", "a handler"}}, 7);
        all.add("webhooks_sent_total");
        all.observe("webhooks_sent_total", {}, 0.1);
        CHECK(all.refused() == 3);
        const auto text = as_text(all.collect());
        CHECK(has(text, R"(http_request_duration_seconds_count{method="GET"} 1)"));
        CHECK(!has(text, "a handler"));
        CHECK(has(text, "webhooks_sent_total 1"));

        for (int i = 0; i < 600; ++i)
            all.add("name_" + std::to_string(i));

        CHECK(all.collect().size() == 500);
        CHECK(all.refused() == 105);
        all.add("name_0");
        CHECK(all.value("name_0", {}, 0) == 2);
    }

    TEST_CASE("metrics: what a handler tells is counted when a scraper would take it") {
        std::ostringstream lines;
        workerd::logger log{workerd::log_level::info, workerd::log_format::json, lines};
        options given;
        given.keeps = false;
        observability all{given, libqueue::client_options{"host=/nonexistent"}, log};
        const auto tell = [&](std::string name, double value) {
            const auto job = job_of("q", "a.b");
            const libqueue::measure told{
                libqueue::measure::type::count, std::move(name), value, {}};
            libqueue::event e{libqueue::event_type::job_measured};
            e.job = &job;
            e.measured = &told;
            all.on_event(e);
        };

        tell("good_total", 2);
        tell("bad_total", std::numeric_limits<double>::quiet_NaN());
        tell("bad_total", std::numeric_limits<double>::infinity());
        tell("Bad total", 1);

        const auto text = as_text(all.collect());
        CHECK(has(text, "good_total 2"));
        CHECK(!has(text, "bad_total"));
        CHECK(has(text, "libqueue_measures_refused_total 3"));
    }

    TEST_CASE("metrics: whatever handlers put into labels, a strict reader takes the scrape") {
        std::ostringstream lines;
        workerd::logger log{workerd::log_level::info, workerd::log_format::json, lines};
        options given;
        given.keeps = false;
        observability all{given, libqueue::client_options{"host=/nonexistent"}, log};
        const auto tell = [&](std::string name, libqueue::measure_labels labels) {
            const auto job = job_of("q", "a.b");
            const libqueue::measure told{libqueue::measure::type::count, std::move(name), 1,
                                         std::move(labels)};
            libqueue::event e{libqueue::event_type::job_measured};
            e.job = &job;
            e.measured = &told;
            all.on_event(e);
        };

        tell("good_total", {{"a", "1"}, {"b", "2"}});
        tell("good_total", {{"b", "2"}, {"a", "1"}});
        tell("twice_total", {{"a", "1"}, {"a", "2"}});
        tell("bytes_total", {{"a", "x\xff\xc3(\x01\n\"\\"}});
        tell("bytes_total", {{"a", std::string("nul\0nul", 7)}});
        tell("long_total", {{"a", std::string(127, 'x') + "\u00e4" + std::string(9'000, 'y')}});
        tell("http_request_duration_seconds", {});
        tell("queue_job_processing_duration_seconds_count", {});
        tell("process_cpu_seconds_total", {});
        for (int i = 0; i < 5'000; ++i)
            tell("many_total", {{"id", std::to_string(i)}});

        const auto text = as_text(all.collect());
        CHECK(has(text, R"(good_total{a="1",b="2"} 2)"));
        CHECK(!has(text, "twice_total"));
        CHECK(has(text, "bytes_total{a=\"x\ufffd\ufffd(  \\\"\\\\\"} 1"));
        CHECK(has(text, R"(bytes_total{a="nul nul"} 1)"));
        CHECK(has(text, "long_total{a=\"" + std::string(127, 'x') + "\"} 1"));
        CHECK(has(text, R"(many_total{id="other"} 4800)"));
        CHECK(has(text, "libqueue_measures_folded_total 4800"));
        CHECK(has(text, "libqueue_measures_refused_total 1"));
        CHECK(faults_of(text) == "");
        CHECK(faults_of(text + "good_total{a=\"1\",b=\"2\"} 2\n") != "");
        CHECK(faults_of("a{b=\"\xff\"} 1\n") != "");
    }

    TEST_CASE("rules: over the limit fires, at the limit does not, and under it for the wallet") {
        alert_facts facts;
        facts.add("queue_size", gauge(51, "queue", "money"));
        facts.add("queue_size", gauge(5'000, "queue", "communication"));
        facts.add("solana_wallet_balance_sol", {});
        const auto rules = standard_rules({"sms"}, {});

        const auto found = boost::json::parse(firing(rules, facts)).as_array();

        REQUIRE(found.size() == 2);
        CHECK(found[0].at("rule").as_string() == "money_depth");
        CHECK(found[0].at("subject").as_string() == "money");
        CHECK(found[0].at("severity").as_string() == "critical");
        CHECK(found[0].at("cool_down").as_double() == 300);
        CHECK(found[0].at("channels").as_array().size() == 2);
        CHECK(found[0].at("summary").as_string() == "51 jobs stand in queue money");
        CHECK(found[1].at("rule").as_string() == "wallet_low");
    }

    TEST_CASE("rules: a queue without workers matters only when jobs stand in it") {
        alert_facts facts;
        facts.add("libqueue_workers", gauge(0, "queue", "idle"));
        facts.add("libqueue_workers", gauge(0, "queue", "busy"));
        facts.add("queue_size", gauge(0, "queue", "idle"));
        facts.add("queue_size", gauge(3, "queue", "busy"));

        const auto found = boost::json::parse(firing(standard_rules({}, {}), facts)).as_array();

        REQUIRE(found.size() == 1);
        CHECK(found[0].at("subject").as_string() == "busy");
    }

    TEST_CASE("trace context: what is written is read again, and what is none is refused") {
        const auto read = libqueue::trace_context::parse(parent);
        REQUIRE(read.has_value());
        CHECK(read->header() == parent);
        CHECK(read->sampled);
        CHECK(libqueue::trace_context::parse(
                  "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")
                  .has_value());
        for (const auto* bad : {"", "x", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"})
            CHECK_MESSAGE(!libqueue::trace_context::parse(bad).has_value(), bad);
    }

    TEST_CASE("traces: a run is in its enqueuer's trace, and each run has its own span") {
        const tracing_options given;
        auto job = job_of("mail", "email.send");
        const auto first = trace_of(given, job, parent);
        const auto again = trace_of(given, job, parent);
        job.lease = 4;
        const auto second = trace_of(given, job, parent);

        REQUIRE(first.has_value());
        CHECK(first->run.trace_id() == "0af7651916cd43dd8448eb211c80319c");
        CHECK(first->parent == 0xb7ad6b7169203331U);
        CHECK(first->run.header() == again->run.header());
        CHECK(first->run.span != second->run.span);
        CHECK(first->enqueue.span == second->enqueue.span);
        CHECK(first->enqueue.span != first->run.span);
    }

    TEST_CASE("traces: linked runs have traces of their own, unsampled ones none") {
        tracing_options given;
        given.as_child = false;
        const auto job = job_of("mail", "email.send");
        const auto linked = trace_of(given, job, parent);
        REQUIRE(linked.has_value());
        CHECK(linked->run.trace_id() != linked->enqueue.trace_id());
        CHECK(linked->enqueue.trace_id() == "0af7651916cd43dd8448eb211c80319c");

        CHECK(!trace_of(given, job, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"));
        given.ratio = 0;
        CHECK(!trace_of(given, job, ""));
        CHECK(trace_of(given, job, parent).has_value());
    }

    TEST_CASE("spans: the export has the published form") {
        span made{libqueue::trace_context{1, 2, 3, true}, "process mail", span::kind::consumer};
        made.parent = 9;
        made.begin_us = 1'700'000'000'000'000;
        made.end_us = 1'700'000'000'500'000;
        made.numbers.emplace_back("libqueue.job.attempt", 2);
        made.links.push_back(libqueue::trace_context{1, 2, 9, true});
        made.failed = true;

        const auto json = boost::json::parse(otlp_json({made}, {{"service.name", "workerd"}}));

        const auto& one = json.at_pointer("/resourceSpans/0/scopeSpans/0/spans/0");
        CHECK(one.at("traceId").as_string() == "00000000000000010000000000000002");
        CHECK(one.at("spanId").as_string() == "0000000000000003");
        CHECK(one.at("parentSpanId").as_string() == "0000000000000009");
        CHECK(one.at("kind").as_int64() == 5);
        CHECK(one.at("startTimeUnixNano").as_string() == "1700000000000000000");
        CHECK(one.at_pointer("/attributes/0/value/intValue").as_string() == "2");
        CHECK(one.at_pointer("/links/0/spanId").as_string() == "0000000000000009");
        CHECK(one.at_pointer("/status/code").as_int64() == 2);
        CHECK(json.at_pointer("/resourceSpans/0/resource/attributes/0/value/stringValue")
                  .as_string() == "workerd");
        CHECK(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3"}})") == 3);
        CHECK(rejected_spans("{}") == 0);
    }
}
