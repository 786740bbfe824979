#include "pg/schema_name.hpp"

namespace libqueue::pg {
namespace {

constexpr std::string_view written{"queue"};
constexpr std::size_t most_bytes{48};

[[nodiscard]] bool is_lower(char c) noexcept {
    return (c >= 'a' && c <= 'z') || c == '_';
}
[[nodiscard]] bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Whether a name that begins after `c` is a part of something longer.
[[nodiscard]] bool continues_name(char c) noexcept {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '"';
}

}  // namespace

libqueue::result<void> check_schema_name(std::string_view schema) {
    bool valid = !schema.empty() && schema.size() <= most_bytes && is_lower(schema.front()) &&
                 !schema.starts_with("pg_");
    for (const char c : schema) {
        valid = valid && (is_lower(c) || is_digit(c));
    }
    if (valid) {
        return {};
    }
    std::string shown;
    for (const char c : schema.substr(0, most_bytes + 1)) {
        shown += c >= ' ' && c <= '~' ? c : '?';
    }
    return error{errc::invalid_argument,
                 "schema: expected 1 to 48 of a-z 0-9 _, not starting with a digit or pg_, got '" +
                     shown + "'"};
}

std::string with_schema(std::string_view sql, std::string_view schema) {
    if (schema == written) {
        return std::string{sql};
    }
    std::string out;
    out.reserve(sql.size() + 256);
    std::size_t from = 0;
    for (std::size_t at = sql.find("queue."); at != std::string_view::npos;
         at = sql.find("queue.", at + written.size())) {
        if (at > 0 && continues_name(sql[at - 1])) {
            continue;
        }
        out.append(sql.substr(from, at - from)).append(schema);
        from = at + written.size();
    }
    out.append(sql.substr(from));
    return out;
}

}  // namespace libqueue::pg
