#include "logging/line_format.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>

namespace workerd {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none
// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing over U+10FFFF).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<unsigned char>(text[i]);
    };
    const auto lead = byte(0);
    if (lead < 0x80)
        return 1;
    const std::size_t length = lead < 0xc2   ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U)
            return 0;
    }
    const auto second = byte(1);
    const bool fits = !(lead == 0xe0 && second < 0xa0) && !(lead == 0xed && second > 0x9f) &&
                      !(lead == 0xf0 && second < 0x90) && !(lead == 0xf4 && second > 0x8f);
    return fits ? length : 0;
}

// Calls `put` with each valid sequence, U+FFFD in place of each byte that belongs to none.
template <typename Put>
void for_each_character(std::string_view text, std::size_t bytes_max, Put put) {
    bool was_cut = false;
    if (text.size() > bytes_max) {
        text = text.substr(0, bytes_max);
        was_cut = true;
    }
    while (!text.empty()) {
        const auto length = sequence_length(text);
        put(length == 0 ? replacement : text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
    if (was_cut)
        put(std::string_view{"…"});
}

void append_json_character(std::string_view character, std::string& out) {
    if (character.size() > 1) {
        // Valid in JSON but a line end to JavaScript and to some log shippers.
        if (character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9")
            out += character.back() == '\xa8' ? "\\u2028" : "\\u2029";
        else
            out += character;
        return;
    }
    const char letter = character.front();
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
        out += '\\';
        out += letter;
    } else if (letter == '\n') {
        out += "\\n";
    } else if (letter == '\r') {
        out += "\\r";
    } else if (letter == '\t') {
        out += "\\t";
    } else if (code < 0x20 || code == 0x7f) {
        out += fmt::format("\\u{:04x}", code);
    } else {
        out += letter;
    }
}

std::string printable(std::string_view text) {
    std::string out;
    for_each_character(text, log_text_bytes_max, [&](std::string_view character) {
        const auto code = static_cast<unsigned char>(character.front());
        const bool is_c1 = character.size() == 2 && code == 0xc2 &&
                           static_cast<unsigned char>(character.back()) < 0xa0;
        if (is_c1 || (character.size() == 1 && (code < 0x20 || code == 0x7f)))
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(character.back()));
        else
            out += character;
    });
    return out;
}

// A value as it may be shown, before it is escaped for one of the formats.
log_value redacted(const log_field& field, const redactor& hide, std::string& storage) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    switch (hide.of_key(field.key)) {
        case redactor::treatment::mask:
            return redactor::mask;
        case redactor::treatment::mask_email:
            if (text == nullptr)
                return field.value;
            storage = redactor::email(*text);
            return std::string_view{storage};
        case redactor::treatment::show:
            break;
    }
    if (text == nullptr)
        return field.value;
    // Twice what is shown, so that the cut cannot fall into the shown part of a secret.
    storage = redactor::in_text(text->substr(0, 2 * log_text_bytes_max));
    return std::string_view{storage};
}

std::string json_value(const log_value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value))
        return json_quoted(*text);
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return fmt::format("{}", *number);
    if (const auto* flag = std::get_if<bool>(&value))
        return *flag ? "true" : "false";
    const auto real = std::get<double>(value);
    return std::isfinite(real) ? fmt::format("{}", real) : "null";
}

std::string text_value(const log_value& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr)
        return json_value(value);
    const auto shown = printable(*text);
    const bool is_word = !shown.empty() && shown.find_first_of(" \"=") == std::string::npos;
    return is_word ? shown : json_quoted(shown);
}

std::string_view colour_of(log_level level) {
    switch (level) {
        case log_level::trace:
        case log_level::debug:
            return "\x1b[2m";
        case log_level::info:
            return "\x1b[32m";
        case log_level::warn:
            return "\x1b[33m";
        case log_level::error:
            return "\x1b[31m";
    }
    return "";
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t bytes_max) {
    std::string out;
    while (!text.empty()) {
        const auto length = sequence_length(text);
        const auto code = static_cast<unsigned char>(text.front());
        const bool is_control = code < 0x20 || code == 0x7f;
        const auto piece = length == 0  ? replacement
                           : is_control ? std::string_view{" "}
                                        : text.substr(0, length);
        if (out.size() + piece.size() > bytes_max)
            break;
        out += piece;
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string json_quoted(std::string_view text, std::size_t bytes_max) {
    std::string out = "\"";
    for_each_character(text, bytes_max,
                       [&](std::string_view character) { append_json_character(character, out); });
    out += '"';
    return out;
}

std::string rfc3339(std::chrono::system_clock::time_point at) {
    const auto since = std::chrono::floor<std::chrono::microseconds>(at.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const auto micros = (since - seconds).count();
    const auto parts = fmt::gmtime(static_cast<std::time_t>(seconds.count()));
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, micros);
}

std::string to_json_line(const log_record& record, const redactor& hide) {
    std::string line =
        fmt::format(R"({{"ts":"{}","level":"{}","msg":{},"event":{})", rfc3339(record.at),
                    to_string(record.level), json_quoted(redactor::in_text(record.message)),
                    json_quoted(record.event));
    std::string_view open_object;
    for (const auto& field : record.fields) {
        const auto dot = field.key.find('.');
        const auto object =
            dot == std::string_view::npos ? std::string_view{} : field.key.substr(0, dot);
        const auto name = dot == std::string_view::npos ? field.key : field.key.substr(dot + 1);
        const bool goes_on = !object.empty() && object == open_object;
        if (!open_object.empty() && !goes_on)
            line += '}';
        line += ',';
        if (!object.empty() && !goes_on)
            line += json_quoted(object) + ":{";
        open_object = object;
        std::string storage;
        line += json_quoted(name) + ":" + json_value(redacted(field, hide, storage));
    }
    if (!open_object.empty())
        line += '}';
    line += '}';
    return line;
}

std::string to_text_line(const log_record& record, const redactor& hide, bool coloured) {
    const auto level = fmt::format("{:<5}", to_string(record.level));
    std::string line = rfc3339(record.at) + " ";
    line += coloured ? fmt::format("{}{}\x1b[0m", colour_of(record.level), level) : level;
    line += fmt::format(" {:<18} {}", record.event, printable(redactor::in_text(record.message)));
    for (const auto& field : record.fields) {
        std::string storage;
        line += fmt::format(" {}={}", field.key, text_value(redacted(field, hide, storage)));
    }
    return line;
}

}  // namespace workerd
