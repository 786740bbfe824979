#include "values.hpp"

#include "printable.hpp"
#include "stop.hpp"
#include "zone.hpp"

#include <libqueue/duration.hpp>

#include <array>
#include <charconv>
#include <utility>

namespace qctl {

namespace {

constexpr std::array<std::pair<std::string_view, output_format>, 7> formats{{
    {"table", output_format::table},
    {"wide", output_format::wide},
    {"json", output_format::json},
    {"jsonl", output_format::jsonl},
    {"yaml", output_format::yaml},
    {"csv", output_format::csv},
    {"id", output_format::id},
}};

stop expected(std::string_view where, std::string_view what, std::string_view got,
              std::string hint = {}) {
    return usage(std::string{where} + ": expected " + std::string{what} + ", got " + in_quotes(got),
                 std::move(hint));
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

std::string state_names() {
    using libqueue::job_state;
    std::string names;
    for (const auto state :
         {job_state::scheduled, job_state::ready, job_state::running, job_state::retrying,
          job_state::completed, job_state::cancelled, job_state::dead}) {
        names += (names.empty() ? "" : ", ") + std::string{libqueue::to_string(state)};
    }
    return names;
}

}  // namespace

std::optional<output_format> parse_output_format(std::string_view text) noexcept {
    for (const auto& [name, format] : formats) {
        if (name == text) {
            return format;
        }
    }
    return std::nullopt;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 60;
    return "'" + fitted(printable(text.substr(0, 4 * longest)), longest) + "'";
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string{count == 1 ? one : many};
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const auto end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::int64_t read_integer(std::string_view text, std::string_view where, std::int64_t least,
                          std::int64_t most) {
    std::int64_t value = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stopped != end || value < least || value > most) {
        const bool open = most == std::numeric_limits<std::int64_t>::max();
        throw expected(where,
                       "a whole number from " + std::to_string(least) +
                           (open ? " on" : " to " + std::to_string(most)),
                       text);
    }
    return value;
}

libqueue::job_id read_id(std::string_view text, std::string_view where) {
    return read_integer(text, where, 1, std::numeric_limits<std::int64_t>::max());
}

std::chrono::milliseconds read_duration(std::string_view text, std::string_view where) {
    auto parsed = libqueue::parse_duration(text);
    if (!parsed) {
        throw expected(where, "a duration such as 250ms, 30s, 5m, 1h30m or 2d", text);
    }
    return *parsed;
}

time_point read_time(std::string_view text, std::string_view where) {
    const auto when = read_instant(text);
    if (!when) {
        throw expected(where, "a time with its zone, such as 2026-01-31T08:00:00Z", text);
    }
    return *when;
}

time_point read_past(std::string_view text, std::string_view where, time_point now) {
    if (const auto when = read_instant(text)) {
        return *when;
    }
    const auto ago = libqueue::parse_duration(text);
    if (!ago) {
        throw expected(where, "a duration ago such as 1h, or a time such as 2026-01-31T08:00:00Z",
                       text);
    }
    // Further back than any time PostgreSQL knows would wrap around; the epoch is far enough.
    if (*ago >= now.time_since_epoch()) {
        return time_point{};
    }
    return now - *ago;
}

double read_rate(std::string_view text, std::string_view where) {
    const auto slash = text.find('/');
    const auto unit = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
    const auto figure = text.substr(0, slash);
    double count = 0;
    const char* const begin = figure.data();
    const char* const end = begin + figure.size();
    const auto [stopped, error] = std::from_chars(begin, end, count, std::chars_format::fixed);
    const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    // Below one a day or above a million a second it is a slip.
    if (error != std::errc{} || stopped != end || seconds == 0 ||
        !(count / seconds >= 1.0 / 86'400) || count / seconds > 1e6) {
        throw expected(where, "a rate such as 50/s, 10/m or 1/h", text);
    }
    return count / seconds;
}

std::string read_zone(std::string_view text, std::string_view where) {
    auto zone = find_zone(text);
    if (!zone) {
        throw expected(where, "a time zone of this machine's tzdata, such as Europe/Berlin or UTC",
                       text);
    }
    return *std::move(zone);
}

std::vector<libqueue::job_state> read_states(std::string_view text, std::string_view where) {
    std::vector<libqueue::job_state> states;
    for (const auto& name : split(text, ',')) {
        const auto state = libqueue::parse_job_state(name);
        if (!state) {
            throw expected(where, "states out of " + state_names(), name);
        }
        states.push_back(*state);
    }
    return states;
}

void check_value(const flag& of, std::string_view text) {
    const std::string where = "--" + std::string{of.name};
    switch (of.type) {
        case value_type::none:
        case value_type::text:
            return;
        case value_type::integer:
            static_cast<void>(read_integer(text, where, of.least, of.most));
            return;
        case value_type::optional_duration:
            if (text.empty()) {
                return;
            }
            [[fallthrough]];
        case value_type::duration:
            static_cast<void>(read_duration(text, where));
            return;
        case value_type::instant:
            static_cast<void>(read_time(text, where));
            return;
        case value_type::past:
            static_cast<void>(read_past(text, where, system_now()));
            return;
        case value_type::rate:
            static_cast<void>(read_rate(text, where));
            return;
        case value_type::states:
            static_cast<void>(read_states(text, where));
            return;
        case value_type::uuid:
            if (!is_uuid(text)) {
                throw expected(where, "a UUID", text);
            }
            return;
        case value_type::format:
            if (!parse_output_format(text)) {
                throw expected(where, "table, wide, json, jsonl, yaml, csv or id", text);
            }
            return;
        case value_type::zone:
            static_cast<void>(read_zone(text, where));
            return;
        case value_type::when:
            if (text != "auto" && text != "always" && text != "never") {
                throw expected(where, "auto, always or never", text);
            }
            return;
    }
}

}  // namespace qctl
