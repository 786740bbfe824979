#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue {

/// One SQL statement with parameters $1..$n, all in text format; an empty optional is NULL. Their
/// types are the server's guess from the text: cast where it could guess otherwise
/// (`$1::bigint`). Where a worker runs it, names of the queue's schema are written `queue.name` and
/// rewritten for the schema it is installed in. Statements that begin, end or change a transaction
/// are not for this.
class statement {
   public:
    statement() = default;
    explicit statement(std::string sql_, std::vector<std::optional<std::string>> parameters_ = {})
        : sql{std::move(sql_)}, parameters{std::move(parameters_)} {}

    std::string sql;
    std::vector<std::optional<std::string>> parameters;
};
static_assert(!std::is_aggregate_v<statement>);

/// What a statement answered, as text. Owns its values; any thread.
class rows {
   public:
    rows() = default;
    rows(std::size_t columns, std::vector<std::optional<std::string>> values)
        : columns_{columns}, values_{std::move(values)} {}

    [[nodiscard]] std::size_t size() const noexcept {
        return columns_ == 0 ? 0 : values_.size() / columns_;
    }
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    /// Empty for NULL. Throws std::out_of_range outside the rows and columns there are.
    [[nodiscard]] const std::optional<std::string>& value(std::size_t row,
                                                          std::size_t column) const {
        return values_.at(row * columns_ + column);
    }
    /// The same, with an empty text for NULL.
    [[nodiscard]] std::string text(std::size_t row, std::size_t column) const {
        return value(row, column).value_or(std::string{});
    }

   private:
    std::size_t columns_{0};
    std::vector<std::optional<std::string>> values_;  ///< row by row
};

}  // namespace libqueue
