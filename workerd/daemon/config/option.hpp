#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace workerd {

struct config;

enum class option_type {
    boolean,
    integer,
    duration,     ///< number is milliseconds
    rate,         ///< per unit of time: 5/s, 1000/min, 20/h
    text,         ///< min and max limit the bytes
    name,         ///< [a-z0-9_.-], as queues and kinds are named
    identifier,   ///< an SQL identifier: [a-z_][a-z0-9_]*
    choice,       ///< one of `choices`
    address,      ///< host:port
    dsn,          ///< libpq connection string or URI
    file,         ///< path of a readable file
    secret_file,  ///< path of a file only its owner may read, or the name of a systemd credential
    directory,    ///< path
    text_list,    ///< a YAML list of texts; comma-separated in environment and flags
};

/// A value that has passed its option's checks.
struct option_value {
    std::string text;
    std::int64_t number = 0;
    bool flag = false;
    std::vector<std::string> list;
};

/// Stores a checked value. `name` is what stood in place of `*` in the path, or empty.
using bind_function = void (*)(config& target, const std::string& name, const option_value& value);

/// Everything there is to know about one option. The rows drive the parser, the environment, the
/// flags, the reference in docs/configuration.md and the example file, so that a fact about an
/// option is written once.
struct option {
    /// Dotted; one segment may be `*`: a name the user chooses.
    std::string_view path;
    option_type type = option_type::text;
    /// As a user would write it; empty: unset unless somebody sets it.
    std::string_view standard = {};
    /// Limits in the unit of the type; both 0: none.
    std::int64_t min = 0;
    std::int64_t max = 0;
    /// For `choice`: "a|b|c".
    std::string_view choices = {};
    /// Must be set when the section that holds it is present.
    bool required = false;
    /// A running workerd takes the new value at SIGHUP; otherwise it needs a restart.
    bool reloadable = false;
    /// What the example file shows where there is no default.
    std::string_view sample = {};
    std::string_view doc = {};
    bind_function bind = nullptr;
};

/// All options, section by section in the order of the reference.
[[nodiscard]] std::span<const option> all_options();

/// The option of exactly this path pattern ("queues.*.concurrency"); aborts when there is none.
[[nodiscard]] const option& option_at(std::string_view path);

/// "database.dsn" as its segments.
[[nodiscard]] std::vector<std::string_view> split_path(std::string_view path);

/// What a value must look like, for messages and for the reference: "a duration from 100ms to 5m".
[[nodiscard]] std::string expectation(const option& row);

[[nodiscard]] std::string_view to_string(option_type type) noexcept;

}  // namespace workerd
