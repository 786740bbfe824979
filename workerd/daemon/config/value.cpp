#include "config/value.hpp"

#include "config/dsn.hpp"
#include "config/fault.hpp"
#include "config/suggest.hpp"

#include <libqueue/duration.hpp>
#include <libqueue/limit_options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace workerd {

namespace {

using checked = std::variant<option_value, value_complaint>;

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t path_bytes_max = 4096;

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        return std::nullopt;
    return number;
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char byte) {
        const auto code = static_cast<unsigned char>(byte);
        return code < 0x20 || code == 0x7f;
    });
}

checked number_in_range(const option& row, std::string_view text, std::int64_t number) {
    const bool limited = row.min != 0 || row.max != 0;
    if (limited && number < row.min)
        return value_complaint{std::string{text}, "raise it"};
    if (limited && number > row.max)
        return value_complaint{std::string{text}, "lower it"};
    option_value value;
    value.text = text;
    value.number = number;
    return value;
}

checked check_boolean(std::string_view text) {
    option_value value;
    value.text = text;
    value.flag = text == "true";
    if (text == "true" || text == "false")
        return value;
    return value_complaint{as_written(text), "write true or false, without quotes"};
}

checked check_integer(const option& row, std::string_view text) {
    const auto number = parse_integer(text);
    if (!number)
        return value_complaint{as_written(text), "write digits only, without unit or quotes"};
    return number_in_range(row, text, *number);
}

checked check_duration(const option& row, std::string_view text) {
    const auto value = libqueue::parse_duration(text);
    if (value)
        return number_in_range(row, text, value->count());
    const auto hint = parse_integer(text)
                          ? fmt::format("add a unit: {0}s or {0}ms", text)
                          : std::string{"write a number and a unit (ms, s, m, h, d), such as 30s"};
    return value_complaint{as_written(text), hint};
}

checked check_rate(std::string_view text) {
    const auto rate = libqueue::parse_rate(text);
    if (!rate || *rate == 0)
        return value_complaint{as_written(text), "write 5/s, 1000/min, 20/h or 100/d"};
    option_value value;
    value.text = text;
    return value;
}

checked check_text(const option& row, std::string_view text) {
    const auto least = static_cast<std::size_t>(std::max<std::int64_t>(row.min, 0));
    const auto most = row.max == 0 ? path_bytes_max : static_cast<std::size_t>(row.max);
    if (text.size() < least)
        return value_complaint{text.empty() ? "an empty text" : as_written(text),
                               "remove the option to use its default"};
    if (text.size() > most)
        return value_complaint{fmt::format("{} bytes", text.size()), "shorten it"};
    if (has_control_character(text))
        return value_complaint{as_written(text), "remove the control characters"};
    option_value value;
    value.text = text;
    return value;
}

checked check_identifier(const option& row, std::string_view text) {
    const auto fits = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '_';
    };
    const bool digit_first = !text.empty() && text.front() >= '0' && text.front() <= '9';
    if (text.empty() || digit_first || text.size() > static_cast<std::size_t>(row.max) ||
        !std::all_of(text.begin(), text.end(), fits))
        return value_complaint{as_written(text),
                               "use lower-case letters, digits and _, a letter first"};
    option_value value;
    value.text = text;
    return value;
}

checked check_choice(const option& row, std::string_view text) {
    const auto choices = choices_of(row);
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) {
        option_value value;
        value.text = text;
        return value;
    }
    const auto close = suggest(text, choices);
    return value_complaint{as_written(text), close ? fmt::format("did you mean {}?", *close)
                                                   : std::string{"choose one of these"}};
}

checked check_address(std::string_view text) {
    const auto colon = text.rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : parse_integer(text.substr(colon + 1));
    auto host = text.substr(0, std::min(colon, text.size()));
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (!port || *port < 0 || *port > 65'535 || host.empty() || has_control_character(text))
        return value_complaint{as_written(text), "write it as 127.0.0.1:8080 or [::1]:8080"};
    if (!bracketed && host.find(':') != std::string_view::npos)
        return value_complaint{as_written(text), "put the IPv6 address into brackets: [::1]:8080"};
    option_value value;
    value.text = text;
    value.number = *port;
    return value;
}

checked check_dsn(const option& row, std::string_view text, bool from_file) {
    // What is wrong with a connection string is said without repeating it: it may hold a password.
    if (from_file && has_inline_password(text))
        return value_complaint{"one with a password in it",
                               "move it into a file of mode 0600 and name that with " +
                                   std::string{split_path(row.path).back()} +
                                   "_file, or set DATABASE_URL"};
    if (text.size() > static_cast<std::size_t>(row.max) || has_control_character(text))
        return value_complaint{"something else", "one line of at most 4096 bytes"};
    if (!looks_like_dsn(text))
        return value_complaint{"something else",
                               "write postgresql://user@host/database or host=… dbname=…"};
    option_value value;
    value.text = text;
    return value;
}

checked check_list(const option& row, std::string_view text) {
    option_value value;
    value.text = text;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto item = text.substr(0, comma);
        const auto fine = check_text(row, item);
        if (const auto* complaint = std::get_if<value_complaint>(&fine))
            return *complaint;
        value.list.emplace_back(item);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return value;
}

}  // namespace

bool is_job_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= name_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char letter) {
               return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
                      letter == '_' || letter == '.' || letter == '-';
           });
}

std::vector<std::string> choices_of(const option& row) {
    std::vector<std::string> parts;
    auto rest = row.choices;
    while (!rest.empty()) {
        const auto bar = std::min(rest.find('|'), rest.size());
        parts.emplace_back(rest.substr(0, bar));
        rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
    return parts;
}

checked check_value(const option& row, std::string_view text, bool from_file) {
    switch (row.type) {
        case option_type::boolean:
            return check_boolean(text);
        case option_type::integer:
            return check_integer(row, text);
        case option_type::duration:
            return check_duration(row, text);
        case option_type::rate:
            return check_rate(text);
        case option_type::name:
            if (!is_job_name(text))
                return value_complaint{as_written(text),
                                       "use lower-case letters, digits, _ . and -"};
            return check_text(row, text);
        case option_type::identifier:
            return check_identifier(row, text);
        case option_type::choice:
            return check_choice(row, text);
        case option_type::address:
            return check_address(text);
        case option_type::dsn:
            return check_dsn(row, text, from_file);
        case option_type::text_list:
            return check_list(row, text);
        case option_type::file:
        case option_type::secret_file:
        case option_type::directory:
            if (text.empty())
                return value_complaint{"an empty text", "write a path"};
            return check_text(row, text);
        case option_type::text:
            return check_text(row, text);
    }
    return value_complaint{as_written(text), ""};
}

}  // namespace workerd
