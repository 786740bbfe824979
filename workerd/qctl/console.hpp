#pragma once

#include "settings.hpp"
#include "stop.hpp"

#include <string>
#include <string_view>

namespace qctl {

/// Results, on stdout. Throws `stop` when they cannot be written (a full disk must not look like
/// success).
void write_output(std::string_view text);
void flush_output();

/// Messages, on stderr. Everything is made printable here.
class console {
   public:
    explicit console(const settings& options) noexcept : options_{options} {}

    /// For a person who watches: only on a terminal.
    void note(std::string_view text) const;
    /// What a script's log should hold too; silent with --quiet.
    void warn(std::string_view text) const;
    /// With --verbose.
    void detail(std::string_view text) const;
    /// With --debug.
    void debug(std::string_view text) const;

   private:
    const settings& options_;
};

/// `{"error":{"code","message","hint"}}` or two lines for people.
[[nodiscard]] std::string error_text(const stop& why, bool json, bool color);

void write_message(std::string_view text);

}  // namespace qctl
