#include "core/filter_fields.hpp"

#include "core/text.hpp"

#include <libqueue/duration.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>

namespace libqueue::core {
namespace {

constexpr std::array fields{
    filter_field{"state", filter_type::state, "a state: ready, running, dead ..."},
    filter_field{"queue", filter_type::name, "a queue, or a pattern as mail*"},
    filter_field{"kind", filter_type::name, "a kind, or a pattern as email.*"},
    filter_field{"tag", filter_type::name, "a tag, or a pattern as vip*"},
    filter_field{"tenant", filter_type::uuid, "a UUID or none"},
    filter_field{"id", filter_type::integer, "a number, or a range as >100 or 100..200"},
    filter_field{"priority", filter_type::integer, "a number, or a range as <5 or 1..5"},
    filter_field{"attempt", filter_type::integer, "a number, or a range as >2 or 1..3"},
    filter_field{"batch", filter_type::integer, "the id of a batch"},
    filter_field{"created", filter_type::time,
                 "a time as 2026-11-01 or 2026-11-01T08:00:00Z, or a range as 2026-11-01.."},
    filter_field{"died", filter_type::time,
                 "a time as 2026-11-01 or 2026-11-01T08:00:00Z, or a range as 2026-11-01.."},
    filter_field{"age", filter_type::age, "a range of durations as >10m or 1h..2h"},
    filter_field{"error", filter_type::part, "a part of the error"},
    filter_field{"reason", filter_type::id_text, "a reason of death"},
    filter_field{"fingerprint", filter_type::id_text, "a failure group"},
    filter_field{"args", filter_type::json,
                 "a value, a pattern as ann*, a range of numbers as >10, or none"},
};

constexpr std::array names{
    state_name{"scheduled", "scheduled"},
    state_name{"ready", "ready"},
    state_name{"running", "running"},
    state_name{"retrying", "retrying"},
    state_name{"completed", "completed"},
    state_name{"cancelled", "cancelled"},
    state_name{"dead", "dead"},
    state_name{"failed", "dead"},
    state_name{"waiting", "scheduled,ready,retrying"},
    state_name{"finished", "completed,cancelled"},
};

constexpr std::size_t json_bytes{16 * 1024};

std::string quoted_json(std::string_view text) {
    return json_string(text, json_bytes);
}

std::string one(std::string_view test, std::string_view value) {
    return "{\"" + std::string{test} + "\":" + quoted_json(value) + "}";
}

/// * is any text; what LIKE would read more into is escaped.
std::string like_pattern(std::string_view text) {
    std::string pattern;
    for (const char c : text) {
        if (c == '*') {
            pattern += '%';
        } else {
            if (c == '%' || c == '_' || c == '\\') {
                pattern += '\\';
            }
            pattern += c;
        }
    }
    return pattern;
}

/// What a range's end is: the text compared with, and for a day the text of the next one.
class point {
   public:
    std::string from;
    std::string to;
    [[nodiscard]] bool is_span() const noexcept { return from != to; }
};

std::optional<point> integer_point(std::string_view text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [at, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc{} || at != end) {
        return std::nullopt;
    }
    return point{std::to_string(number), std::to_string(number)};
}

std::optional<point> number_point(std::string_view text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [at, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (text.empty() || fault != std::errc{} || at != end || !(number < 1e15 && number > -1e15)) {
        return std::nullopt;
    }
    return point{std::string{text}, std::string{text}};
}

/// Digits of exactly this width.
bool take(std::string_view& text, int width, int most, int& value) {
    value = 0;
    if (text.size() < static_cast<std::size_t>(width)) {
        return false;
    }
    for (const char c : text.substr(0, static_cast<std::size_t>(width))) {
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(static_cast<std::size_t>(width));
    return value <= most;
}

bool take(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool take_zone(std::string_view& text) {
    int hours = 0;
    int minutes = 0;
    return take(text, 'Z') || ((take(text, '+') || take(text, '-')) && take(text, 2, 15, hours) &&
                               (!take(text, ':') || take(text, 2, 59, minutes)));
}

/// 2026-11-01, or 2026-11-01T08:00[:00[.123456]] and a zone.
std::optional<point> time_point_of(std::string_view text) {
    const std::string_view whole = text;
    int year = 0;
    int month = 0;
    int day = 0;
    if (!(take(text, 4, 9999, year) && take(text, '-') && take(text, 2, 12, month) &&
          take(text, '-') && take(text, 2, 31, day))) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || year < 1) {
        return std::nullopt;
    }
    if (text.empty()) {
        const std::chrono::year_month_day next{std::chrono::sys_days{date} + std::chrono::days{1}};
        const auto two = [](unsigned number) {
            return (number < 10 ? "0" : "") + std::to_string(number);
        };
        std::string after = std::to_string(static_cast<int>(next.year()));
        after.insert(0, std::string(4 - std::min<std::size_t>(4, after.size()), '0'));
        return point{std::string{whole} + "T00:00:00Z",
                     after + "-" + two(static_cast<unsigned>(next.month())) + "-" +
                         two(static_cast<unsigned>(next.day())) + "T00:00:00Z"};
    }
    int number = 0;
    if (!(take(text, 'T') && take(text, 2, 23, number) && take(text, ':') &&
          take(text, 2, 59, number))) {
        return std::nullopt;
    }
    if (take(text, ':')) {
        if (!take(text, 2, 59, number)) {
            return std::nullopt;
        }
        if (take(text, '.')) {
            const auto digits = std::min<std::size_t>(
                6,
                static_cast<std::size_t>(std::find_if(text.begin(), text.end(),
                                                      [](char c) { return c < '0' || c > '9'; }) -
                                         text.begin()));
            if (digits == 0) {
                return std::nullopt;
            }
            text.remove_prefix(digits);
        }
    }
    if (!take_zone(text) || !text.empty()) {
        return std::nullopt;
    }
    return point{std::string{whole}, std::string{whole}};
}

/// In microseconds.
std::optional<point> age_point(std::string_view text) {
    constexpr std::chrono::milliseconds most = std::chrono::hours{24 * 36'500};
    const auto length = parse_duration(text);
    if (!length || *length > most) {
        return std::nullopt;
    }
    const auto written = std::to_string(std::chrono::microseconds{*length}.count());
    return point{written, written};
}

using read_point = std::optional<point> (*)(std::string_view);

std::string bound(std::string_view test, const std::string& value) {
    return "\"" + std::string{test} + "\":\"" + value + "\"";
}

std::string lower_bound(const point& at) {
    return bound("ge", at.from);
}

std::string upper_bound(const point& at) {
    return at.is_span() ? bound("lt", at.to) : bound("le", at.from);
}

/// `>5`, `>=5`, `<5`, `<=5`, `1..5`, `1..`, `..5`, `5`; nothing when it is none of these.
std::optional<std::string> range(std::string_view text, read_point read, bool alone) {
    for (const std::string_view sign : {">=", "<=", ">", "<"}) {
        if (!text.starts_with(sign)) {
            continue;
        }
        const auto at = read(text.substr(sign.size()));
        if (!at) {
            return std::nullopt;
        }
        if (sign == ">=") {
            return "{" + lower_bound(*at) + "}";
        }
        if (sign == "<=") {
            return "{" + upper_bound(*at) + "}";
        }
        if (sign == ">") {
            return "{" + (at->is_span() ? bound("ge", at->to) : bound("gt", at->from)) + "}";
        }
        return "{" + bound("lt", at->from) + "}";
    }
    if (const auto dots = text.find(".."); dots != std::string_view::npos) {
        const auto low = text.substr(0, dots);
        const auto high = text.substr(dots + 2);
        const auto from = read(low);
        const auto to = read(high);
        if ((low.empty() && high.empty()) || (!low.empty() && !from) || (!high.empty() && !to)) {
            return std::nullopt;
        }
        std::string both = "{";
        both += low.empty() ? "" : lower_bound(*from);
        both += low.empty() || high.empty() ? "" : ",";
        both += high.empty() ? "" : upper_bound(*to);
        return both + "}";
    }
    const auto at = alone ? read(text) : std::nullopt;
    if (!at) {
        return std::nullopt;
    }
    return at->is_span() ? "{" + lower_bound(*at) + "," + upper_bound(*at) + "}"
                         : one("eq", at->from);
}

bool is_uuid_text(std::string_view text) noexcept {
    constexpr std::size_t length = 36;
    if (text.size() != length) {
        return false;
    }
    for (std::size_t i = 0; i < length; ++i) {
        const char c = text[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1,
                               diagonal + (a[i - 1] == b[j - 1] ? std::size_t{0} : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

bool add_states(std::string_view text, std::vector<filter_value>& any) {
    const auto* const found = std::find_if(
        names.begin(), names.end(), [&](const state_name& each) { return each.name == text; });
    if (found == names.end()) {
        return false;
    }
    for (std::string_view rest = found->states; !rest.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        const std::string state{rest.substr(0, comma)};
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        if (std::none_of(any.begin(), any.end(),
                         [&](const filter_value& each) { return each.written == state; })) {
            any.push_back(filter_value{state, one("eq", state)});
        }
    }
    return true;
}

/// The value as JSON; nothing when the field has no such value.
std::optional<std::string> value_json(const filter_field& field, std::string_view text,
                                      bool quoted) {
    const bool pattern = !quoted && text.find('*') != std::string_view::npos;
    switch (field.type) {
        case filter_type::name:
            return pattern ? one("like", like_pattern(text)) : one("eq", text);
        case filter_type::id_text:
            return one("eq", text);
        case filter_type::uuid:
            if (text == "none") {
                return "{\"none\":true}";
            }
            return is_uuid_text(text) ? std::optional{one("eq", text)} : std::nullopt;
        case filter_type::integer:
            return range(text, integer_point, true);
        case filter_type::time:
            return range(text, time_point_of, true);
        case filter_type::age:
            return range(text, age_point, false);
        case filter_type::part:
            return one("part", text);
        case filter_type::json:
            break;
        case filter_type::state:
            return std::nullopt;
    }
    if (!quoted) {
        if (text == "none") {
            return "{\"none\":true}";
        }
        if (auto bounds = range(text, number_point, false)) {
            return bounds;
        }
        if (text.starts_with('<') || text.starts_with('>')) {
            return std::nullopt;
        }
    }
    return pattern ? one("like", like_pattern(text)) : one("eq", text);
}

}  // namespace

std::span<const filter_field> filter_fields() noexcept {
    return fields;
}

const filter_field* find_filter_field(std::string_view name) noexcept {
    const bool of_payload = name.starts_with("args.") && name.size() > 5;
    const auto* const found =
        std::find_if(fields.begin(), fields.end(), [&](const filter_field& each) {
            return each.type == filter_type::json ? of_payload : each.name == name;
        });
    return found == fields.end() ? nullptr : found;
}

std::string_view closest_filter_field(std::string_view name) {
    constexpr std::size_t longest = 24;
    std::string_view closest;
    std::size_t least = 3;
    if (name.size() > longest) {
        return {};
    }
    for (const filter_field& each : fields) {
        const std::size_t here = distance(name, each.name);
        if (here < least && here < each.name.size()) {
            least = here;
            closest = each.name;
        }
    }
    return closest;
}

std::span<const state_name> state_names() noexcept {
    return names;
}

result<void> read_filter_value(const filter_field& field, std::string_view text, bool quoted,
                               std::vector<filter_value>& any) {
    const auto refuse = [&] {
        return error{errc::invalid_argument, "expected " + std::string{field.expected} + ", got '" +
                                                 std::string{text.substr(0, 100)} + "'"};
    };
    if (text.empty() && field.type != filter_type::json) {
        return refuse();
    }
    if (field.type == filter_type::state) {
        return add_states(text, any) ? result<void>{} : refuse();
    }
    auto json = value_json(field, text, quoted);
    if (!json) {
        return refuse();
    }
    std::string written{text};
    if (quoted) {
        written = quote_filter_value(text);
        if (field.type == filter_type::json && written.front() != '"') {
            // Without quotes it may be a number, a range or none; in them a backslash is one more.
            written = "\"";
            for (const char c : text) {
                written += c == '\\' ? "\\\\" : std::string(1, c);
            }
            written += '"';
        }
    }
    any.push_back(filter_value{std::move(written), *std::move(json)});
    return {};
}

}  // namespace libqueue::core
