#include "server/any_overview.hpp"

#include "context.hpp"
#include "json_members.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"
#include "values.hpp"

#include <libqueue/overview.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <map>

namespace qctl {

namespace {

using libqueue::column_type;
using libqueue::report;
using libqueue::result;

// Both ways write the same figure alike.
std::string figure_text(const std::string& text) {
    std::array<char, 32> buffer{};
    const auto [end, fault] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                            std::strtod(text.c_str(), nullptr));
    return fault == std::errc{} ? std::string{buffer.data(), end} : text;
}

// The chart as a table, whose first column is the time.
class chart_table {
   public:
    chart_table() { table_.columns.emplace_back("at", column_type::time); }

    void add(std::int64_t seconds, const std::string& name,
             const std::optional<std::string>& value) {
        auto place = std::ranges::find(table_.columns, name, &libqueue::column::name);
        if (place == table_.columns.end()) {
            table_.columns.emplace_back(name, column_type::number);
            place = std::prev(table_.columns.end());
        }
        const auto at = static_cast<std::size_t>(place - table_.columns.begin());
        const auto [row, fresh] = rows_.try_emplace(seconds, table_.rows.size());
        if (fresh) {
            table_.rows.emplace_back().emplace_back(
                iso_instant(libqueue::time_point{std::chrono::seconds{seconds}}));
        }
        auto& cells = table_.rows[row->second];
        cells.resize(std::max(cells.size(), at + 1));
        cells[at] = value ? std::optional{figure_text(*value)} : std::nullopt;
    }

    [[nodiscard]] report done() {
        for (auto& row : table_.rows) {
            row.resize(table_.columns.size());
        }
        return std::move(table_);
    }

   private:
    report table_;
    std::map<std::int64_t, std::size_t> rows_;
};

std::int64_t seconds_of(std::string_view text) {
    return read_integer(text, "t", 0, std::numeric_limits<std::int64_t>::max());
}

std::vector<std::string_view> parts_of(const std::string& list) {
    return json_elements(list).value_or(std::vector<std::string_view>{});
}

}  // namespace

report any_overview::database() {
    if (auto* const server = with_.server()) {
        return server->object({"GET", "/database"}).value();
    }
    libqueue::overview seen{with_.client()};
    auto row = seen.database();
    row.columns.emplace_back("tables", column_type::json);
    row.rows.at(0).push_back(json_array(seen.tables()));
    row.columns.emplace_back("cures", column_type::json);
    row.rows.at(0).push_back(json_array(libqueue::operations{with_.client()}.list_cures()));
    return row;
}

result<void> any_overview::set_objective(std::string_view queue,
                                         std::optional<std::chrono::milliseconds> objective) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::overview{with_.client()}.set_objective(queue, objective);
    }
    api_request request{"PUT", "/queues/" + path_part(queue) + "/objective"};
    request.body =
        json_body{}
            .number("seconds",
                    objective ? std::optional{std::chrono::duration<double>{*objective}.count()}
                              : std::nullopt)
            .done();
    return done(server->ask(request));
}

result<report> any_overview::series(const libqueue::series_request& wanted) {
    chart_table table;
    auto* const server = with_.server();
    if (server == nullptr) {
        constexpr std::size_t seconds_column = 1;
        constexpr std::size_t name_column = 2;
        constexpr std::size_t value_column = 3;
        const auto rows = libqueue::samples{with_.client()}.series(wanted);
        if (!rows) {
            return rows.error();
        }
        for (const auto& row : rows->rows) {
            table.add(seconds_of(row.at(seconds_column).value_or("")),
                      row.at(name_column).value_or(""), row.at(value_column));
        }
        return table.done();
    }
    api_request request{"GET", "/stats/series"};
    request.query = {{"metric", wanted.metric}, {"step", std::to_string(wanted.step.count())}};
    add(request, "queue", wanted.queue);
    add(request, "from", wanted.from);
    add(request, "to", wanted.to);
    const auto chart = server->object(request);
    if (!chart) {
        return chart.error();
    }
    const auto times = field_of(*chart, "t").value_or("[]");
    const auto seconds = parts_of(times);
    const auto all = read_page(field_of(*chart, "series").value_or("[]")).rows;
    for (const auto& each : all.rows) {
        report one;
        one.columns = all.columns;
        one.rows.push_back(each);
        const auto name = field_of(one, "name").value_or("");
        const auto values = field_of(one, "values").value_or("[]");
        const auto figures = parts_of(values);
        for (std::size_t i = 0; i < std::min(seconds.size(), figures.size()); ++i) {
            table.add(seconds_of(seconds[i]), name,
                      figures[i] == "null" ? std::nullopt : std::optional{std::string{figures[i]}});
        }
    }
    return table.done();
}

}  // namespace qctl
