#pragma once

#include "config/option.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace workerd {

/// Why a text is not a value of an option.
struct value_complaint {
    std::string got;
    std::string hint;
};

/// Checks a text against an option: type, range, choices. Files are not touched here.
/// `from_file` tells whether the text stood in the configuration file, where secrets are refused.
[[nodiscard]] std::variant<option_value, value_complaint> check_value(const option& row,
                                                                      std::string_view text,
                                                                      bool from_file);

/// True for a name that queues and kinds may have: 1 to 64 characters a-z 0-9 _ . -
[[nodiscard]] bool is_job_name(std::string_view text) noexcept;

/// The parts of "a|b|c".
[[nodiscard]] std::vector<std::string> choices_of(const option& row);

}  // namespace workerd
