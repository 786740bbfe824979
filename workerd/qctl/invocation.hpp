#pragma once

#include "command_table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qctl {

/// One command line, read against the command table. All values have been checked for their type.
class invocation {
   public:
    /// Null with `help_wanted` or an empty command line: help on `group`, or in general.
    const command* leaf{nullptr};
    std::string_view group;
    bool help_wanted{false};
    std::vector<std::string> arguments;

    /// Name is without dashes.
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    /// The last one given; nothing when none was.
    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const;

    /// In the order given.
    std::vector<std::pair<std::string, std::string>> flags;
};

/// Throws `stop` (usage), with a suggestion when a word looks like a slip. Flags may stand anywhere
/// before `--`; only global ones before the command.
[[nodiscard]] invocation parse_command_line(const std::vector<std::string>& arguments);

/// Looks for -o/--output without parsing, so that an error in the command line can be printed in
/// the format that was asked for.
[[nodiscard]] bool wants_json(const std::vector<std::string>& arguments) noexcept;

}  // namespace qctl
