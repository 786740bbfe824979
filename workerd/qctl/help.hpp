#pragma once

#include "command_table.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

// Help and manual, made from the command table. Pure.

namespace qctl {

/// For a command line without a command: what this is, and two examples.
[[nodiscard]] std::string short_help();
/// All commands, global flags and topics.
[[nodiscard]] std::string general_help();
[[nodiscard]] std::string group_help(std::string_view group);
[[nodiscard]] std::string command_help(const command& leaf);
/// docs/qctl.md.
[[nodiscard]] std::string manual();

class topic {
   public:
    std::string_view name;
    std::string_view summary;
    std::string_view text;
};

[[nodiscard]] std::span<const topic> topics() noexcept;
/// Nothing when there is no such topic.
[[nodiscard]] std::optional<std::string> topic_help(std::string_view name);

/// "jobs wait ID... [FLAGS]"
[[nodiscard]] std::string usage_line(const command& leaf);
/// "  -o, --output FORMAT", "      --wait[=DUR]"
[[nodiscard]] std::string flag_heading(const flag& of);
/// The words of a command, "jobs wait".
[[nodiscard]] std::string command_title(const command& leaf);
[[nodiscard]] std::string_view danger_text(danger risk) noexcept;
/// "0  done" lines.
[[nodiscard]] std::string exit_code_lines();

}  // namespace qctl
