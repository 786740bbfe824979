#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/samples.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd::api {

namespace {

namespace json = boost::json;

constexpr std::size_t seconds_column = 1;
constexpr std::size_t name_column = 2;
constexpr std::size_t value_column = 3;

json::value number_or_null(const std::optional<std::string>& text) {
    return text ? json::value(std::strtod(text->c_str(), nullptr)) : json::value(nullptr);
}

constexpr std::array<std::string_view, 5> metrics{"throughput", "failures", "wait", "run", "depth"};

/// Rows by series and time become one axis and one array for each series, added to `chart`. All
/// metrics of one time have the same axis.
void add_metric(json::object& chart, const std::string& metric, const libqueue::report& rows) {
    json::array times;
    auto& all = chart["series"].as_array();
    json::object series;
    json::array values;
    const auto end_series = [&] {
        if (series.empty())
            return;
        series["values"] = std::exchange(values, {});
        all.push_back(std::exchange(series, {}));
    };
    std::string name;
    bool is_first = true;
    for (const auto& row : rows.rows) {
        const std::string of = row.at(name_column).value_or("");
        if (of != name || series.empty()) {
            is_first = series.empty();
            end_series();
            name = of;
            series["metric"] = metric;
            series["name"] = name;
        }
        if (is_first)
            times.emplace_back(
                std::strtoll(row.at(seconds_column).value_or("0").c_str(), nullptr, 10));
        values.push_back(number_or_null(row.at(value_column)));
    }
    end_series();
    chart["t"] = std::move(times);
}

/// "wait,run": each known, none twice.
std::vector<std::string> metrics_of(std::string_view text) {
    std::vector<std::string> found;
    for (;;) {
        const auto end = std::min(text.find(','), text.size());
        const auto name = text.substr(0, end);
        if (std::ranges::find(metrics, name) == metrics.end() ||
            std::ranges::find(found, name) != found.end()) {
            refuse_value("query.metric",
                         "one or several of throughput, failures, wait, run, depth, each once",
                         "'" + std::string{name} + "'");
        }
        found.emplace_back(name);
        if (end == text.size())
            return found;
        text.remove_prefix(end + 1);
    }
}

answer series(api_call& call) {
    libqueue::series_request wanted{""};
    wanted.queue = call.text("queue");
    wanted.from = call.time("from");
    // One end for all metrics, however long each takes.
    wanted.to = call.time("to").value_or(
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()));
    if (const auto step = call.integer("step"))
        wanted.step = std::chrono::seconds{*step};
    json::object chart;
    chart["t"] = json::array{};
    chart["series"] = json::array{};
    libqueue::samples history{call.database()};
    for (auto& metric : metrics_of(call.text("metric").value_or(""))) {
        wanted.metric = metric;
        add_metric(chart, metric, history.series(wanted).value());
    }
    return reply_json(chart);
}

constexpr std::array series_parameters{
    field{.name = "metric",
          .doc =
              "throughput and failures (per second, percent), wait and run (seconds), depth; one "
              "or several of them, separated by commas",
          .required = true,
          .min = 1,
          .max = 64},
    field{.name = "queue", .doc = "Of this queue; else of all together", .max = 64},
    field{.name = "from", .type = value_type::time, .doc = "Default: an hour before `to`"},
    field{.name = "to", .type = value_type::time, .doc = "Default: now"},
    field{.name = "step",
          .type = value_type::integer,
          .doc = "Seconds, whole minutes; at most 2000 steps",
          .min = 60,
          .max = 86'400},
};

constexpr std::array rows{
    route{.path = "/stats/series",
          .right = "stats.read",
          .summary = "History of a queue or of all: one time axis and the series over it.",
          .parameters = series_parameters,
          .run = series},
};

}  // namespace

std::span<const route> stats_routes() {
    return rows;
}

}  // namespace workerd::api
