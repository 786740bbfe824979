#pragma once

#include "invocation.hpp"
#include "values.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

/// The world around the process, so that tests can make one up.
class environment {
   public:
    std::function<std::optional<std::string>(std::string_view)> variable;
    bool in_is_terminal{false};
    bool out_is_terminal{false};
    bool err_is_terminal{false};
    std::size_t width{80};  ///< of the terminal
    bool is_root{false};
};

/// The real one.
[[nodiscard]] environment process_environment();

/// The global flags with their defaults and the environment's say.
class settings {
   public:
    output_format format{output_format::table};
    std::vector<std::string> columns;
    bool headers{true};
    std::string zone;  ///< of times in table and wide; empty: not said
    bool quiet{false};
    bool verbose{false};
    bool color_out{false};
    bool color_err{false};
    bool in_is_terminal{false};
    bool out_is_terminal{false};
    bool err_is_terminal{false};
    std::size_t width{80};
    bool no_input{false};
    bool yes{false};
    std::optional<std::string> confirm;
    bool dry_run{false};
    std::optional<std::chrono::milliseconds> timeout;
    std::string dsn;         ///< empty: libpq's own PG* variables
    std::string server;      ///< URL of the API; empty: the database is asked directly
    std::string token_file;  ///< of `server`; empty: none
    std::string ca_file;     ///< of `server`; empty: the system's authorities
    std::string context;     ///< the connection's name; empty: it came from elsewhere
    /// The context says that whoever changes something must type its name.
    bool is_protected{false};
    bool may_send_in_clear{false};  ///< a token over plain http to another machine
    std::string schema{"queue"};
    bool debug{false};

    /// People read it here: relative times, truncation. Never when someone else does.
    [[nodiscard]] bool for_people() const noexcept { return out_is_terminal; }
    /// May a question be asked?
    [[nodiscard]] bool can_ask() const noexcept {
        return in_is_terminal && err_is_terminal && !no_input;
    }
};

[[nodiscard]] settings resolve_settings(const invocation& call, const environment& around);

/// The connection string without its passwords.
[[nodiscard]] std::string masked_dsn(std::string_view dsn);

}  // namespace qctl
