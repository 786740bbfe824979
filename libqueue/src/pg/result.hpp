#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_result;

namespace libqueue::pg {

/// Rows of one statement, owned. Text accessors read text-format columns, `binary_*` read
/// binary-format ones; which one a result has is decided by who sent the statement.
class result {
   public:
    result() = default;
    explicit result(pg_result* raw) noexcept;

    [[nodiscard]] int rows() const noexcept;
    [[nodiscard]] int columns() const noexcept;
    [[nodiscard]] std::string_view column_name(int column) const noexcept;
    /// OID of the column's type.
    [[nodiscard]] unsigned column_type(int column) const noexcept;
    [[nodiscard]] bool is_null(int row, int column) const noexcept;
    /// Valid while the result lives.
    [[nodiscard]] std::string_view text(int row, int column) const noexcept;
    [[nodiscard]] std::optional<std::string> optional_text(int row, int column) const;
    [[nodiscard]] std::int64_t int64(int row, int column) const;
    [[nodiscard]] bool boolean(int row, int column) const noexcept;
    /// Rows inserted, updated or deleted by a statement without RETURNING.
    [[nodiscard]] std::int64_t affected() const noexcept;

    [[nodiscard]] std::int64_t binary_int64(int row, int column) const noexcept;
    [[nodiscard]] std::int32_t binary_int32(int row, int column) const noexcept;
    [[nodiscard]] std::int16_t binary_int16(int row, int column) const noexcept;
    [[nodiscard]] bool binary_bool(int row, int column) const noexcept;

    [[nodiscard]] pg_result* raw() const noexcept { return raw_.get(); }

   private:
    struct clear {
        void operator()(pg_result* raw) const noexcept;
    };
    std::unique_ptr<pg_result, clear> raw_;
};

}  // namespace libqueue::pg
