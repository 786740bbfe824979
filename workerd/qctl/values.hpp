#pragma once

#include "command_table.hpp"
#include "instant.hpp"

#include <libqueue/job.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The typed values of flags and arguments. Every reader throws `stop` (usage) that names the flag,
// what was expected and what came.

namespace qctl {

enum class output_format { table, wide, json, jsonl, yaml, csv, id };

[[nodiscard]] std::optional<output_format> parse_output_format(std::string_view text) noexcept;

/// `where` is how the value is called in an error: "--priority" or "ID".
[[nodiscard]] std::int64_t read_integer(std::string_view text, std::string_view where,
                                        std::int64_t least, std::int64_t most);
[[nodiscard]] libqueue::job_id read_id(std::string_view text, std::string_view where);
[[nodiscard]] std::chrono::milliseconds read_duration(std::string_view text,
                                                      std::string_view where);
[[nodiscard]] time_point read_time(std::string_view text, std::string_view where);
/// An instant, or a duration before `now`.
[[nodiscard]] time_point read_past(std::string_view text, std::string_view where, time_point now);
/// Per second.
[[nodiscard]] double read_rate(std::string_view text, std::string_view where);
/// As tzdata writes it.
[[nodiscard]] std::string read_zone(std::string_view text, std::string_view where);
[[nodiscard]] std::vector<libqueue::job_state> read_states(std::string_view text,
                                                           std::string_view where);

/// Throws when `text` is not a value of the flag's type.
void check_value(const flag& of, std::string_view text);

/// `'text'`, printable and of bearable length, for error messages.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// `1 job`, `2 jobs`.
[[nodiscard]] std::string counted(std::int64_t count, std::string_view one, std::string_view many);

/// `a,b,c` in parts; empty parts are kept.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

}  // namespace qctl
