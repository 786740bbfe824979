#pragma once

#include <libqueue/error.hpp>

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Reading and writing JSON text for typed jobs: the part that is not a template.
// Written directly, a job costs no tree; read, it becomes a boost::json::value first.

namespace libqueue::detail {

/// Where and why a value could not be read or written. The path is put together from the inside
/// out while the calls return, so the good case pays nothing for it.
class json_fault {
   public:
    [[nodiscard]] bool set(std::string what) {
        message = std::move(what);
        return false;
    }
    [[nodiscard]] bool in_field(std::string_view name);
    [[nodiscard]] bool in_item(std::size_t index);
    /// The key of a map is data, and data never shows in an error.
    [[nodiscard]] bool in_map();
    /// `$.items[2].price: expected integer, got string`
    [[nodiscard]] std::string text() const { return "$" + path + ": " + message; }

    std::string path;
    std::string message;
};

/// Writes one JSON value that PostgreSQL can store. Members returning bool refuse what is not
/// (invalid UTF-8, NUL, NaN, too deep): then `fault` says why and the text is worthless.
class json_writer {
   public:
    [[nodiscard]] bool begin_object() { return begin('{'); }
    void end_object() { end('}'); }
    [[nodiscard]] bool begin_array() { return begin('['); }
    void end_array() { end(']'); }
    [[nodiscard]] bool key(std::string_view name);

    void null() { word("null"); }
    void boolean(bool value) { word(value ? "true" : "false"); }
    void integer(std::int64_t value);
    void integer(std::uint64_t value);
    /// The shortest text that reads back as the same double; always with a point or an exponent.
    [[nodiscard]] bool number(double value);
    [[nodiscard]] bool string(std::string_view value);
    [[nodiscard]] bool value(const boost::json::value& value);
    /// A finished JSON value.
    void raw(std::string_view json) { word(json); }

    std::string text;
    json_fault fault;

   private:
    [[nodiscard]] bool begin(char bracket);
    void end(char bracket);
    void word(std::string_view json);
    [[nodiscard]] bool quoted(std::string_view value);

    std::size_t depth_{0};
    bool comma_{false};  // something stands before, on this level
};

/// Parses RFC 8259 text of at most 128 levels. Integers of 64 bits are exact, other numbers are the
/// nearest double. Errors: invalid_payload with the byte; the text is not quoted.
[[nodiscard]] result<boost::json::value> parse_json(std::string_view text);

/// "string", "integer", "number" ... for messages.
[[nodiscard]] std::string_view kind_of(const boost::json::value& value) noexcept;

/// Reads a whole number, also one written as 3.0. False when it is none or not within the limits.
[[nodiscard]] bool read_integer(const boost::json::value& from, std::int64_t min, std::int64_t max,
                                std::int64_t& out, json_fault& fault);
[[nodiscard]] bool read_integer(const boost::json::value& from, std::uint64_t max,
                                std::uint64_t& out, json_fault& fault);
[[nodiscard]] bool read_number(const boost::json::value& from, double max, double& out,
                               json_fault& fault);
/// Sets "expected <what>, got <kind>".
[[nodiscard]] bool mismatch(std::string_view expected, const boost::json::value& got,
                            json_fault& fault);

/// What `encode` throws and `decode` returns.
[[noreturn]] void throw_unencodable(std::string_view type, const json_fault& fault);
[[nodiscard]] error undecodable(std::string_view type, const json_fault& fault);

}  // namespace libqueue::detail
