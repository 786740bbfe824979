#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/samples.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <cstdlib>
#include <utility>

namespace workerd::api {

namespace {

namespace json = boost::json;

constexpr std::size_t seconds_column = 1;
constexpr std::size_t name_column = 2;
constexpr std::size_t value_column = 3;

json::value number_or_null(const std::optional<std::string>& text) {
    return text ? json::value(std::strtod(text->c_str(), nullptr)) : json::value(nullptr);
}

/// Rows by series and time become one axis and one array for each series.
json::object chart_of(const libqueue::report& rows) {
    json::array times;
    json::array all;
    json::object series;
    json::array values;
    const auto end_series = [&] {
        if (series.empty())
            return;
        series["values"] = std::exchange(values, {});
        all.push_back(std::exchange(series, {}));
    };
    std::string name;
    for (const auto& row : rows.rows) {
        const std::string of = row.at(name_column).value_or("");
        if (of != name || series.empty()) {
            end_series();
            name = of;
            series["name"] = name;
        }
        if (all.empty())
            times.emplace_back(
                std::strtoll(row.at(seconds_column).value_or("0").c_str(), nullptr, 10));
        values.push_back(number_or_null(row.at(value_column)));
    }
    end_series();
    json::object chart;
    chart["t"] = std::move(times);
    chart["series"] = std::move(all);
    return chart;
}

answer series(api_call& call) {
    libqueue::series_request wanted{call.text("metric").value_or("")};
    wanted.queue = call.text("queue");
    wanted.from = call.time("from");
    wanted.to = call.time("to");
    if (const auto step = call.integer("step"))
        wanted.step = std::chrono::seconds{*step};
    return reply_json(chart_of(libqueue::samples{call.database()}.series(wanted).value()));
}

constexpr std::array series_parameters{
    field{.name = "metric",
          .doc = "throughput and failures (per second, percent), wait and run (seconds), depth",
          .required = true,
          .choices = "throughput|failures|wait|run|depth"},
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
