#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::pg {

/// Parameters of one statement, in order. Values are copied into one buffer; text values carry no
/// type (the server infers it from the statement), binary ones name theirs. A text value with a NUL
/// byte throws domain_failure (invalid_argument): the protocol cannot carry it.
class params {
   public:
    params& text(std::string_view value);
    params& text(const std::string& value) { return text(std::string_view{value}); }
    params& text(const char* value) { return text(std::string_view{value}); }
    params& text(const std::optional<std::string>& value);
    params& null();
    params& number(std::int64_t value);  ///< as text
    params& boolean(bool value);

    // Binary values of the hot statements.
    params& int4(std::int32_t value);
    params& int8(std::int64_t value);
    params& int2_array(std::span<const std::int16_t> values);
    params& int4_array(std::span<const std::int32_t> values);
    params& int8_array(std::span<const std::int64_t> values);
    /// Microseconds since 2000-01-01 UTC, PostgreSQL's own epoch.
    params& timestamptz_array(std::span<const std::int64_t> values);
    params& text_array(std::span<const std::optional<std::string_view>> values);
    params& text_array(std::span<const std::string> values);
    /// Each a JSON text; the server parses it into the array, without a cast from text on the way.
    params& jsonb_array(std::span<const std::string_view> texts);
    params& bool_array(std::span<const std::uint8_t> values);

    void clear() noexcept;
    [[nodiscard]] int count() const noexcept { return static_cast<int>(items_.size()); }

    /// Pointers valid until the next change.
    struct view {
        std::vector<unsigned> types;
        std::vector<const char*> values;
        std::vector<int> lengths;
        std::vector<int> formats;
    };
    void fill(view& out) const;

   private:
    struct item {
        unsigned type;
        std::size_t offset;
        int length;  // -1: NULL
        int format;
    };
    void begin(unsigned type, int format);
    void end() noexcept;
    void array_header(unsigned element, std::size_t count, bool has_null);
    void put16(std::int16_t value);
    void put32(std::int32_t value);
    void put64(std::int64_t value);

    std::string buffer_;
    std::vector<item> items_;
};

}  // namespace libqueue::pg
