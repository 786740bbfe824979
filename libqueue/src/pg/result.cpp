#include "pg/result.hpp"

#include <libqueue/error.hpp>

#include <libpq-fe.h>

#include <charconv>
#include <cstring>

namespace libqueue::pg {
namespace {

/// Big-endian to value. The server sends exactly the type's width; anything else means that the
/// statement and the code that reads it disagree.
template <typename Integer>
[[nodiscard]] Integer read_integer(const pg_result* raw, int row, int column) noexcept {
    LIBQUEUE_ASSERT(PQgetlength(raw, row, column) == static_cast<int>(sizeof(Integer)));
    const char* bytes = PQgetvalue(raw, row, column);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return static_cast<Integer>(value);
}

}  // namespace

result::result(pg_result* raw) noexcept : raw_{raw} {}

void result::clear::operator()(pg_result* raw) const noexcept {
    PQclear(raw);
}

int result::rows() const noexcept {
    return PQntuples(raw_.get());
}

int result::columns() const noexcept {
    return PQnfields(raw_.get());
}

std::string_view result::column_name(int column) const noexcept {
    const char* name = PQfname(raw_.get(), column);
    return name == nullptr ? std::string_view{} : std::string_view{name};
}

unsigned result::column_type(int column) const noexcept {
    return PQftype(raw_.get(), column);
}

bool result::is_null(int row, int column) const noexcept {
    return PQgetisnull(raw_.get(), row, column) != 0;
}

std::string_view result::text(int row, int column) const noexcept {
    LIBQUEUE_ASSERT(row < rows() && column < columns());
    return {PQgetvalue(raw_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(raw_.get(), row, column))};
}

std::optional<std::string> result::optional_text(int row, int column) const {
    if (is_null(row, column)) {
        return std::nullopt;
    }
    return std::string{text(row, column)};
}

std::int64_t result::int64(int row, int column) const {
    const std::string_view value = text(row, column);
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), number);
    LIBQUEUE_ASSERT(fault == std::errc{} && end == value.data() + value.size());
    return number;
}

bool result::boolean(int row, int column) const noexcept {
    return text(row, column) == "t";
}

std::int64_t result::affected() const noexcept {
    const std::string_view count{PQcmdTuples(raw_.get())};
    std::int64_t number = 0;
    std::from_chars(count.data(), count.data() + count.size(), number);
    return number;
}

std::int64_t result::binary_int64(int row, int column) const noexcept {
    return read_integer<std::int64_t>(raw_.get(), row, column);
}

std::int32_t result::binary_int32(int row, int column) const noexcept {
    return read_integer<std::int32_t>(raw_.get(), row, column);
}

std::int16_t result::binary_int16(int row, int column) const noexcept {
    return read_integer<std::int16_t>(raw_.get(), row, column);
}

bool result::binary_bool(int row, int column) const noexcept {
    return read_integer<std::uint8_t>(raw_.get(), row, column) != 0;
}

}  // namespace libqueue::pg
