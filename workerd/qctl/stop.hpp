#pragma once

#include "exit_code.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace qctl {

/// Ends the verb: what the user is told and what the process returns. Thrown anywhere below
/// `run()`, caught there and nowhere else. `code` is a word for programs (`-o json`).
class stop : public std::runtime_error {
   public:
    stop(exit_code exit_, std::string code_, const std::string& message, std::string hint_ = {})
        : std::runtime_error{message},
          exit{exit_},
          code{std::move(code_)},
          hint{std::move(hint_)} {}

    exit_code exit;
    std::string code;
    std::string hint;
    /// Of the API server's answer; empty: none was asked.
    std::string request_id;
};

/// The command line is wrong; nothing was done.
[[nodiscard]] inline stop usage(const std::string& message, std::string hint = {}) {
    return stop{exit_code::usage, "usage", message, std::move(hint)};
}

}  // namespace qctl
