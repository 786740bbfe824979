#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace workerd {

/// Where a setting was written. A line of 0 means the source has no lines: an environment variable
/// or a flag, whose name is then `source`.
struct origin {
    std::string source;
    std::size_t line = 0;
    std::size_t column = 0;
};

enum class severity { fault, warning };

/// One thing wrong with the configuration, said so that a reader can repair it without the manual:
/// where, which option, what was expected, what was found, what to do.
struct config_fault {
    severity level = severity::fault;
    origin where;
    std::string path;
    std::string expected;
    std::string got;
    std::string hint;
};

/// "file:line:column: path: expected …, got …; hint: …" on one line. Control characters in what
/// the user wrote are shown escaped, so that a file cannot draw on the terminal.
[[nodiscard]] std::string to_text(const config_fault& fault);

/// All faults, one per line, in the order of the file, followed by a line that counts them.
[[nodiscard]] std::string to_text(std::span<const config_fault> faults);

/// What the user wrote, quoted for a message: at most 60 bytes, control characters escaped.
[[nodiscard]] std::string as_written(std::string_view text);

}  // namespace workerd
