#pragma once

#include <optional>
#include <string_view>

namespace libqueue::processors::sms {

/// How many segments a text is sent and billed as. With characters of the GSM alphabet alone
/// (3GPP TS 23.038, its extension counted twice) 160, or 153 each when several; else in UTF-16 70,
/// or 67 each. A character is never split. Empty: not UTF-8. Pure.
[[nodiscard]] std::optional<int> segments_of(std::string_view utf8);

}  // namespace libqueue::processors::sms
