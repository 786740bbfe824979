#pragma once

#include "config/load.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace workerd {

/// What workerd exits with.
namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
/// A second signal: running jobs were left to the rescue by lease.
inline constexpr int left_at_once = 130;
}  // namespace exit_code

enum class action {
    run,
    check_config,
    print_version,
    print_help,
    print_reference,
    print_example,
    print_openapi
};

/// The command line, taken apart. Everything about the configuration is in `sources`.
class command_line {
   public:
    command_line() = default;
    action what = action::run;
    config_sources sources;
    /// --dev=fresh.
    bool dev_fresh = false;
    /// --suspects: run nothing but suspects and leave when none is left.
    bool suspects = false;
    /// Everything as typed, without the program's name.
    std::vector<std::string> arguments;
};

/// What is wrong with a command line, for stderr; the process then exits with exit_code::usage.
class usage_error {
   public:
    std::string text;
};

/// Throws usage_error.
[[nodiscard]] command_line parse_command_line(int argc, const char* const* argv);

[[nodiscard]] std::string help_text();

}  // namespace workerd
