#pragma once

#include "instant.hpp"

#include <libqueue/operations.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace qctl {

/// Builds a report of one row, column by column.
class row_builder {
   public:
    row_builder() { row_.rows.emplace_back(); }

    row_builder& text(std::string name, std::optional<std::string> value) {
        return add(std::move(name), libqueue::column_type::text, std::move(value));
    }
    row_builder& integer(std::string name, std::optional<std::int64_t> value) {
        return add(std::move(name), libqueue::column_type::integer,
                   value ? std::optional{std::to_string(*value)} : std::nullopt);
    }
    row_builder& number(std::string name, std::optional<double> value) {
        return add(std::move(name), libqueue::column_type::number,
                   value ? std::optional{std::to_string(*value)} : std::nullopt);
    }
    row_builder& boolean(std::string name, bool value) {
        return add(std::move(name), libqueue::column_type::boolean, value ? "true" : "false");
    }
    row_builder& json(std::string name, std::optional<std::string> value) {
        return add(std::move(name), libqueue::column_type::json, std::move(value));
    }
    row_builder& time(std::string name, std::optional<time_point> value) {
        return add(std::move(name), libqueue::column_type::time,
                   value ? std::optional{iso_instant(*value)} : std::nullopt);
    }

    [[nodiscard]] const libqueue::report& done() const noexcept { return row_; }

   private:
    row_builder& add(std::string name, libqueue::column_type type,
                     std::optional<std::string> value) {
        row_.columns.emplace_back(std::move(name), type);
        row_.rows[0].push_back(std::move(value));
        return *this;
    }

    libqueue::report row_;
};

/// Puts the rows of `page` under those of `all`; both have the same columns.
inline void append_rows(libqueue::report& all, const libqueue::report& page) {
    all.columns = page.columns;
    all.rows.insert(all.rows.end(), page.rows.begin(), page.rows.end());
}

}  // namespace qctl
