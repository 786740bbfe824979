#include "processors/sms/payload.hpp"

#include "processors/sms/segments.hpp"
#include "processors/support/payload.hpp"

#include <algorithm>

namespace libqueue::processors::sms {

namespace {

constexpr std::size_t longest_text = 1600;
constexpr std::size_t longest_category = 64;

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_number(std::string_view text) {
    return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           all_digits(text.substr(1));
}

bool is_category(std::string_view text) {
    return !text.empty() && text.size() <= longest_category &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                      std::string_view{"_.-"}.find(c) != std::string_view::npos;
           });
}

}  // namespace

bool is_sender(std::string_view text) {
    const bool short_code = text.size() >= 3 && text.size() <= 8 && all_digits(text);
    const bool service = text.size() == 34 && text.starts_with("MG");
    const auto plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == ' ';
    };
    const bool name = !text.empty() && text.size() <= 11 && !all_digits(text);
    return is_number(text) || short_code ||
           ((service || name) && std::all_of(text.begin(), text.end(), plain));
}

std::string masked_number(std::string_view number) {
    if (number.size() < 8) {
        return "***";
    }
    return std::string{number.substr(0, 3)} + "***" + std::string{number.substr(number.size() - 2)};
}

result<sms_payload> sms_payload::parse(std::string_view json, const options& given) {
    payload_reader reader{json};
    sms_payload made;
    made.to = reader.text("to");
    made.text = reader.text("text");
    made.from = reader.optional_text("from").value_or(given.from);
    made.category = reader.optional_text("category").value_or("transactional");
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    if (!is_number(made.to)) {
        reader.fault("to", "expected a number as + and 7 to 15 digits");
    }
    if (!is_sender(made.from)) {
        reader.fault("from",
                     "expected a number, a short code, a name of up to 11 letters and "
                     "digits or a service, and the options name none");
    }
    if (!is_category(made.category)) {
        reader.fault("category", "expected 1 to 64 of a-z, 0-9, '_', '.' and '-'");
    }
    const auto segments =
        made.text.size() <= longest_text * 4 ? segments_of(made.text) : std::nullopt;
    if (!segments || made.text.find('\0') != std::string::npos) {
        reader.fault("text", "expected at most 1600 characters of UTF-8");
    } else if (*segments > given.most_segments) {
        reader.fault("text", "expected at most " + std::to_string(given.most_segments) +
                                 " segments, got " + std::to_string(*segments));
    }
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    made.segments = segments.value_or(1);
    return made;
}

}  // namespace libqueue::processors::sms
