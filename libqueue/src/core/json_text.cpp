#include "core/limits.hpp"
#include "core/text.hpp"

#include <libqueue/detail/json_text.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace libqueue::detail {

namespace json = boost::json;

bool json_fault::in_field(std::string_view name) {
    path.insert(0, "." + std::string{name});
    return false;
}

bool json_fault::in_item(std::size_t index) {
    path.insert(0, "[" + std::to_string(index) + "]");
    return false;
}

bool json_fault::in_map() {
    path.insert(0, ".*");
    return false;
}

// ---- writing

void json_writer::word(std::string_view json) {
    if (comma_) {
        text += ',';
    }
    text += json;
    comma_ = true;
}

bool json_writer::begin(char bracket) {
    if (depth_ == limits::json_depth) {
        return fault.set("expected at most " + std::to_string(limits::json_depth) +
                         " levels, got more");
    }
    ++depth_;
    word({&bracket, 1});
    comma_ = false;
    return true;
}

void json_writer::end(char bracket) {
    --depth_;
    text += bracket;
    comma_ = true;
}

bool json_writer::key(std::string_view name) {
    if (!quoted(name)) {
        return false;
    }
    text += ':';
    comma_ = false;
    return true;
}

bool json_writer::string(std::string_view value) {
    return quoted(value);
}

bool json_writer::quoted(std::string_view value) {
    const auto plain = [](char c) {
        return c >= ' ' && c <= '~' && c != '"' && c != '\\';
    };
    if (std::all_of(value.begin(), value.end(), plain)) {
        word("\"");
        text += value;
        text += '"';
        return true;
    }
    if (!core::is_storable_text(value)) {
        return fault.set("expected valid UTF-8 without NUL, got other bytes");
    }
    // Only " and \ and control characters need escaping, and each takes at most six bytes.
    word(core::json_string(value, value.size() * 6 + 2));
    return true;
}

void json_writer::integer(std::int64_t value) {
    word(std::to_string(value));
}

void json_writer::integer(std::uint64_t value) {
    word(std::to_string(value));
}

bool json_writer::number(double value) {
    if (!std::isfinite(value)) {
        return fault.set("expected a finite number, got NaN or infinity");
    }
    std::array<char, 32> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    std::string shortest{digits.data(), end};
    if (shortest.find_first_of(".e") == std::string::npos) {
        shortest += ".0";
    }
    word(shortest);
    return ec == std::errc{};
}

bool json_writer::value(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return null(), true;
        case json::kind::bool_:
            return boolean(value.get_bool()), true;
        case json::kind::int64:
            return integer(value.get_int64()), true;
        case json::kind::uint64:
            return integer(value.get_uint64()), true;
        case json::kind::double_:
            return number(value.get_double());
        case json::kind::string:
            return string({value.get_string().data(), value.get_string().size()});
        case json::kind::array: {
            if (!begin_array()) {
                return false;
            }
            std::size_t i = 0;
            for (const json::value& item : value.get_array()) {
                if (!this->value(item)) {
                    return fault.in_item(i);
                }
                ++i;
            }
            return end_array(), true;
        }
        case json::kind::object: {
            if (!begin_object()) {
                return false;
            }
            for (const auto& member : value.get_object()) {
                if (!key({member.key().data(), member.key().size()}) ||
                    !this->value(member.value())) {
                    return fault.in_map();
                }
            }
            return end_object(), true;
        }
    }
    return false;
}

// ---- parsing

namespace {

// Boost's own handler takes doubles as its parser computes them, which in 1.81 is one unit in the
// last place off for every fourth. This one reads them again from the text.
class exact_handler {
   public:
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t n, json::error_code&) { return stack.push_object(n), true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t n, json::error_code&) { return stack.push_array(n), true; }
    bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
        return stack.push_chars(s), true;
    }
    bool on_key(json::string_view s, std::size_t, json::error_code&) {
        return stack.push_key(s), true;
    }
    bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
        return stack.push_chars(s), true;
    }
    bool on_string(json::string_view s, std::size_t, json::error_code&) {
        return stack.push_string(s), true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
        return stack.push_int64(value), true;
    }
    bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
        return stack.push_uint64(value), true;
    }
    bool on_double(double approximate, json::string_view s, json::error_code& ec);
    bool on_bool(bool value, json::error_code&) { return stack.push_bool(value), true; }
    bool on_null(json::error_code&) { return stack.push_null(), true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

    json::value_stack stack;
};

// The text is parsed in one piece, so `s` is the whole number.
bool exact_handler::on_double(double approximate, json::string_view s, json::error_code& ec) {
    double value = 0;
    const auto read = std::from_chars(s.data(), s.data() + s.size(), value);
    if (read.ec == std::errc::result_out_of_range) {
        // Too small is as good as zero; too large has no double.
        if (!std::isfinite(approximate) || std::abs(approximate) > 1) {
            ec = json::make_error_code(json::error::exponent_overflow);
            return false;
        }
        value = 0;
    }
    return stack.push_double(value), true;
}

}  // namespace

result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::json_depth;
    json::basic_parser<exact_handler> parser{options};
    parser.handler().stack.reset();
    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && used < text.size()) {
        ec = json::make_error_code(json::error::extra_data);
    }
    if (ec) {
        return error{errc::invalid_payload, "expected JSON, got a fault at byte " +
                                                std::to_string(used) + ": " + ec.message()};
    }
    return parser.handler().stack.release();
}

// ---- reading

std::string_view kind_of(const json::value& value) noexcept {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "boolean";
        case json::kind::int64:
        case json::kind::uint64:
            return "integer";
        case json::kind::double_:
            return "number";
        case json::kind::string:
            return "string";
        case json::kind::array:
            return "array";
        case json::kind::object:
            return "object";
    }
    return "nothing";
}

bool mismatch(std::string_view expected, const json::value& got, json_fault& fault) {
    std::string what = "expected ";
    what += expected;
    what += ", got ";
    what += kind_of(got);
    return fault.set(std::move(what));
}

namespace {

// 3.0 is a whole number to JSON Schema, JavaScript and PostgreSQL. Above 2^53 a double no longer
// says which one it means.
bool whole_double(double value, std::int64_t& out) noexcept {
    constexpr double exact = 9'007'199'254'740'992.0;
    if (!(std::abs(value) <= exact) || value != std::trunc(value)) {
        return false;
    }
    out = static_cast<std::int64_t>(value);
    return true;
}

bool out_of_range(std::string min, std::string max, json_fault& fault) {
    return fault.set("expected integer from " + std::move(min) + " to " + std::move(max) +
                     ", got a number outside");
}

}  // namespace

bool read_integer(const json::value& from, std::int64_t min, std::int64_t max, std::int64_t& out,
                  json_fault& fault) {
    std::int64_t value = 0;
    if (const auto* exact = from.if_int64()) {
        value = *exact;
    } else if (from.is_uint64()) {
        // The parser uses it only for what does not fit into int64.
        if (from.get_uint64() > static_cast<std::uint64_t>(max)) {
            return out_of_range(std::to_string(min), std::to_string(max), fault);
        }
        value = static_cast<std::int64_t>(from.get_uint64());
    } else if (!from.is_double() || !whole_double(from.get_double(), value)) {
        return mismatch("integer", from, fault);
    }
    out = value;
    return (value >= min && value <= max) ||
           out_of_range(std::to_string(min), std::to_string(max), fault);
}

bool read_integer(const json::value& from, std::uint64_t max, std::uint64_t& out,
                  json_fault& fault) {
    if (const auto* exact = from.if_uint64()) {
        out = *exact;
        return out <= max || out_of_range("0", std::to_string(max), fault);
    }
    std::int64_t value = 0;
    if (!read_integer(from, std::numeric_limits<std::int64_t>::min(),
                      std::numeric_limits<std::int64_t>::max(), value, fault)) {
        return false;
    }
    out = static_cast<std::uint64_t>(value);
    return (value >= 0 && out <= max) || out_of_range("0", std::to_string(max), fault);
}

bool read_number(const json::value& from, double max, double& out, json_fault& fault) {
    if (from.is_double()) {
        out = from.get_double();
    } else if (const auto* whole = from.if_int64()) {
        out = static_cast<double>(*whole);
    } else if (const auto* large = from.if_uint64()) {
        out = static_cast<double>(*large);
    } else {
        return mismatch("number", from, fault);
    }
    return std::abs(out) <= max || fault.set("expected number, got one out of range");
}

void throw_unencodable(std::string_view type, const json_fault& fault) {
    throw std::invalid_argument{std::string{type} + ": " + fault.text()};
}

error undecodable(std::string_view type, const json_fault& fault) {
    return error{errc::invalid_payload, std::string{type} + ": " + fault.text()};
}

}  // namespace libqueue::detail
