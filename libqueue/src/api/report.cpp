#include "api/report.hpp"

#include <charconv>
#include <map>

namespace libqueue::api {
namespace {

/// OIDs of the catalog's built-in types, which never change.
[[nodiscard]] column_type type_of(unsigned oid) noexcept {
    switch (oid) {
        case 16:
            return column_type::boolean;
        case 20:
        case 21:
        case 23:
            return column_type::integer;
        case 700:
        case 701:
        case 1700:
            return column_type::number;
        case 114:
        case 3802:
            return column_type::json;
        case 1114:
        case 1184:
            return column_type::time;
        default:
            return column_type::text;
    }
}

[[nodiscard]] job_id id_of(const std::vector<std::optional<std::string>>& row) {
    job_id id = 0;
    const std::string& text = row.front().value();
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
    LIBQUEUE_ASSERT(fault == std::errc{} && end == text.data() + text.size());
    return id;
}

}  // namespace

report make_report(const pg::result& from) {
    report made;
    for (int i = 0; i < from.columns(); ++i) {
        made.columns.emplace_back(std::string{from.column_name(i)}, type_of(from.column_type(i)));
    }
    made.rows.reserve(static_cast<std::size_t>(from.rows()));
    for (int row = 0; row < from.rows(); ++row) {
        auto& values = made.rows.emplace_back();
        values.reserve(made.columns.size());
        for (int i = 0; i < from.columns(); ++i) {
            values.push_back(from.optional_text(row, i));
        }
    }
    return made;
}

report merge_by_id(std::vector<report> parts, std::size_t limit) {
    report merged;
    std::map<job_id, std::vector<std::optional<std::string>>, std::greater<>> rows;
    for (report& part : parts) {
        merged.columns = std::move(part.columns);
        for (auto& row : part.rows) {
            rows[id_of(row)] = std::move(row);
        }
    }
    for (auto& [id, row] : rows) {
        if (merged.rows.size() == limit) {
            break;
        }
        merged.rows.push_back(std::move(row));
    }
    return merged;
}

}  // namespace libqueue::api
