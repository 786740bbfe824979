#include "render.hpp"

#include "config/suggest.hpp"
#include "printable.hpp"
#include "render_table.hpp"
#include "stop.hpp"

#include <algorithm>
#include <optional>

namespace qctl {

namespace {

using libqueue::column_type;
using libqueue::report;

bool is_json_number(std::string_view text) noexcept {
    const auto digits = [&] {
        const auto count = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(count);
        return count > 0;
    };
    if (text.starts_with('-')) {
        text.remove_prefix(1);
    }
    const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
    if (leading_zero || !digits()) {
        return false;
    }
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        if (!digits()) {
            return false;
        }
    }
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('-') || text.starts_with('+')) {
            text.remove_prefix(1);
        }
        if (!digits()) {
            return false;
        }
    }
    return text.empty();
}

// Numbers and documents go out as they came: nothing is read into a double on the way.
std::string json_value(column_type type, const std::optional<std::string>& cell) {
    if (!cell) {
        return "null";
    }
    switch (type) {
        case column_type::integer:
        case column_type::number:
            // NaN and Infinity are numbers to PostgreSQL and not to JSON.
            return is_json_number(*cell) ? *cell : json_quoted(*cell);
        case column_type::boolean:
            return *cell == "t" || *cell == "true" ? "true" : "false";
        case column_type::json:
            return json_printable(*cell);
        case column_type::time:
            return json_quoted(plain_cell(type, *cell));
        case column_type::text:
            return json_quoted(*cell);
    }
    return "null";
}

// JSON is YAML: each value stands as in -o json, so that nothing is read as another type (a text
// `no`, a number as text) and documents keep their digits.
std::string yaml_rows(const report& of, std::size_t row, std::string_view first,
                      std::string_view rest) {
    std::string text;
    for (std::size_t i = 0; i < of.columns.size(); ++i) {
        text += std::string{i == 0 ? first : rest} + of.columns[i].name + ": " +
                json_value(of.columns[i].type, of.rows[row][i]) + '\n';
    }
    return text;
}

std::string csv_field(column_type type, const std::optional<std::string>& cell) {
    if (!cell) {
        return {};
    }
    auto text = printable_lines(plain_cell(type, *cell));
    if (!text.empty() && text.find_first_of(",\"\n\r\t ") == std::string::npos) {
        return text;
    }
    std::string field{"\""};
    for (const char c : text) {
        field += c == '"' ? "\"\"" : std::string(1, c);
    }
    return field + '"';
}

std::string csv_row(const report& of, std::size_t row) {
    std::string line;
    for (std::size_t i = 0; i < of.columns.size(); ++i) {
        line += (i == 0 ? "" : ",") + csv_field(of.columns[i].type, of.rows[row][i]);
    }
    return line + '\n';
}

std::string csv_header(const report& of) {
    std::string line;
    for (const auto& column : of.columns) {
        line += (line.empty() ? "" : ",") + csv_field(column_type::text, column.name);
    }
    return line + '\n';
}

std::size_t id_column(const report& of) noexcept {
    for (std::size_t i = 0; i < of.columns.size(); ++i) {
        if (of.columns[i].name == "id") {
            return i;
        }
    }
    return 0;
}

std::string id_rows(const report& of) {
    if (of.columns.empty()) {
        return {};
    }
    std::string text;
    const auto at = id_column(of);
    for (const auto& row : of.rows) {
        text += printable(row[at].value_or("")) + '\n';
    }
    return text;
}

bool is_table(output_format format) noexcept {
    return format == output_format::table || format == output_format::wide;
}

// What the table format shows by default. Columns the database does not have (an older schema) are
// left out rather than refused: only a name typed by a person is a mistake.
report default_view(const report& from, const view& how) {
    if (how.format != output_format::table || how.default_columns.empty()) {
        return from;
    }
    std::vector<std::string> present;
    for (auto& name : split(how.default_columns, ',')) {
        if (std::ranges::any_of(from.columns, [&](const auto& c) { return c.name == name; })) {
            present.push_back(std::move(name));
        }
    }
    return present.empty() ? from : chosen_columns(from, present);
}

report viewed(const report& from, const view& how) {
    return how.columns.empty() ? default_view(from, how) : chosen_columns(from, how.columns);
}

}  // namespace

report chosen_columns(const report& from, const std::vector<std::string>& names) {
    std::vector<std::string> known;
    for (const auto& column : from.columns) {
        known.push_back(column.name);
    }
    std::vector<std::size_t> places;
    report result;
    for (const auto& name : names) {
        const auto found = std::ranges::find(known, name);
        if (found == known.end()) {
            std::string all;
            for (const auto& each : known) {
                all += (all.empty() ? "" : ", ") + each;
            }
            const auto best = workerd::suggest(name, known);
            throw usage("--columns: unknown column " + in_quotes(name),
                        best ? "did you mean '" + *best + "'?" : "there are " + all);
        }
        places.push_back(static_cast<std::size_t>(found - known.begin()));
        result.columns.push_back(from.columns[places.back()]);
    }
    for (const auto& row : from.rows) {
        auto& picked = result.rows.emplace_back();
        for (const auto place : places) {
            picked.push_back(row[place]);
        }
    }
    return result;
}

std::string json_object(const report& of, std::size_t row) {
    std::string text{"{"};
    for (std::size_t i = 0; i < of.columns.size(); ++i) {
        text += (i == 0 ? "" : ",") + json_quoted(of.columns[i].name) + ":" +
                json_value(of.columns[i].type, of.rows[row][i]);
    }
    return text + "}";
}

std::string json_array(const report& of) {
    std::string text{"["};
    for (std::size_t row = 0; row < of.rows.size(); ++row) {
        text += (row == 0 ? "" : ",") + json_object(of, row);
    }
    return text + "]";
}

std::string list_renderer::json_rows(const report& page) {
    const bool lines = how_.format == output_format::jsonl;
    std::string text = lines || started_ ? "" : "[";
    for (std::size_t row = 0; row < page.rows.size(); ++row) {
        text += lines ? "" : any_row_ ? ",\n " : "";
        text += json_object(page, row);
        text += lines ? "\n" : "";
        any_row_ = true;
    }
    return text;
}

std::string list_renderer::csv_rows(const report& page) {
    std::string text = how_.headers && !started_ ? csv_header(page) : "";
    for (std::size_t row = 0; row < page.rows.size(); ++row) {
        text += csv_row(page, row);
    }
    return text;
}

std::string list_renderer::add(const report& page) {
    auto shown = viewed(page, how_);
    std::string text;
    if (is_table(how_.format)) {
        if (!started_) {
            table_.columns = shown.columns;
        }
        std::ranges::move(shown.rows, std::back_inserter(table_.rows));
    } else if (how_.format == output_format::csv) {
        text = csv_rows(shown);
    } else if (how_.format == output_format::id) {
        text = id_rows(shown);
    } else if (how_.format == output_format::yaml) {
        for (std::size_t row = 0; row < shown.rows.size(); ++row) {
            text += yaml_rows(shown, row, "- ", "  ");
            any_row_ = true;
        }
    } else {
        text = json_rows(shown);
    }
    started_ = true;
    return text;
}

std::string list_renderer::finish() {
    if (is_table(how_.format)) {
        return table_text(table_, how_);
    }
    if (how_.format == output_format::json) {
        return started_ ? "]\n" : "[]\n";
    }
    if (how_.format == output_format::yaml) {
        return any_row_ ? "" : "[]\n";
    }
    return {};
}

std::string render_object(const report& one, const view& how) {
    view all = how;
    all.default_columns = {};
    const auto shown = viewed(one, all);
    switch (how.format) {
        case output_format::table:
        case output_format::wide:
            return vertical_text(shown, how);
        case output_format::json:
        case output_format::jsonl:
            return json_object(shown, 0) + '\n';
        case output_format::yaml:
            return yaml_rows(shown, 0, "", "");
        case output_format::csv:
            return (how.headers ? csv_header(shown) : "") + csv_row(shown, 0);
        case output_format::id:
            return id_rows(shown);
    }
    return {};
}

}  // namespace qctl
