#include <libqueue/duration.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace libqueue {

namespace {

class unit {
   public:
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<unit, 5> duration_units{{
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
}};

// Largest first, and of equal length the binary one first: that is the order of preference when
// formatting.
constexpr std::array<unit, 9> size_units{{
    {"TiB", std::uint64_t{1} << 40},
    {"TB", 1'000'000'000'000},
    {"GiB", std::uint64_t{1} << 30},
    {"GB", 1'000'000'000},
    {"MiB", std::uint64_t{1} << 20},
    {"MB", 1'000'000},
    {"KiB", std::uint64_t{1} << 10},
    {"kB", 1'000},
    {"B", 1},
}};

constexpr std::string_view duration_hint = "units: d, h, m, s, ms, from large to small, no spaces";
constexpr std::string_view size_hint = "units: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB";

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// The text goes into a message for people: it is cut, and what is not printable ASCII is replaced.
std::string quoted(std::string_view text) {
    constexpr std::size_t shown = 40;
    std::string out = "\"";
    for (const char c : text.substr(0, shown)) {
        out += c >= ' ' && c <= '~' ? c : '?';
    }
    out += text.size() > shown ? "...\"" : "\"";
    return out;
}

error bad_duration(std::string_view text, std::string_view why, std::string_view hint) {
    return error{
        errc::invalid_argument,
        "expected a duration (250ms, 30s, 1h30m), got " + quoted(text) + ": " + std::string{why},
        std::string{hint}};
}

error bad_size(std::string_view text, std::string_view why, std::string_view hint) {
    return error{
        errc::invalid_argument,
        "expected a size (512B, 10kB, 64MiB), got " + quoted(text) + ": " + std::string{why},
        std::string{hint}};
}

template <std::size_t N>
std::size_t find_unit(const std::array<unit, N>& units, std::string_view name) noexcept {
    std::size_t i = 0;
    while (i < N && units[i].name != name) {
        ++i;
    }
    return i;
}

class number_and_unit {
   public:
    std::optional<std::uint64_t> number;  // absent: over 2^64
    std::string_view unit;
};

// Takes leading digits and the letters behind them off `rest`; the caller knows a digit is there.
number_and_unit take(std::string_view& rest) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t letters = 0;
    while (letters < rest.size() && !is_digit(rest[letters])) {
        ++letters;
    }
    number_and_unit taken{ec == std::errc{} ? std::optional{value} : std::nullopt,
                          rest.substr(0, letters)};
    rest.remove_prefix(letters);
    return taken;
}

bool add_product(std::uint64_t& total, std::uint64_t a, std::uint64_t b, std::uint64_t max) {
    if (a > (max - total) / b) {
        return false;
    }
    total += a * b;
    return true;
}

}  // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    if (text.empty()) {
        return bad_duration(text, "it is empty", duration_hint);
    }
    if (text.front() == '-') {
        return bad_duration(text, "it is negative", duration_hint);
    }
    if (text == "0") {
        return std::chrono::milliseconds{0};
    }
    constexpr std::uint64_t most = std::numeric_limits<std::chrono::milliseconds::rep>::max();
    std::uint64_t total = 0;
    std::size_t smallest_seen = 0;  // index of the first unit still allowed
    std::string_view rest = text;
    while (!rest.empty()) {
        if (!is_digit(rest.front())) {
            return bad_duration(text, "a number is missing", duration_hint);
        }
        const number_and_unit part = take(rest);
        if (part.unit.empty()) {
            return bad_duration(text, "the unit is missing", duration_hint);
        }
        if (part.unit.starts_with('.')) {
            return bad_duration(text, "fractions are not allowed",
                                "write 1h30m for 1.5h, 1500ms for 1.5s");
        }
        const std::size_t index = find_unit(duration_units, part.unit);
        if (index == duration_units.size()) {
            return bad_duration(text, "unknown unit " + quoted(part.unit), duration_hint);
        }
        if (index < smallest_seen) {
            return bad_duration(text, "units must go from large to small, each once",
                                duration_hint);
        }
        smallest_seen = index + 1;
        if (!part.number || !add_product(total, *part.number, duration_units[index].factor, most)) {
            return bad_duration(text, "it is too long", "at most 9223372036854775807ms");
        }
    }
    return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(total)};
}

std::string format_duration(std::chrono::milliseconds duration) {
    std::string text;
    // Unsigned arithmetic: the magnitude of the most negative count does not fit into the signed.
    auto left = static_cast<std::uint64_t>(duration.count());
    if (duration.count() < 0) {
        text = "-";
        left = 0 - left;
    }
    if (left == 0) {
        return "0s";
    }
    for (const unit& u : duration_units) {
        if (left >= u.factor) {
            text += std::to_string(left / u.factor);
            text += u.name;
            left %= u.factor;
        }
    }
    return text;
}

result<std::uint64_t> parse_size(std::string_view text) {
    if (text.empty()) {
        return bad_size(text, "it is empty", size_hint);
    }
    if (!is_digit(text.front())) {
        return bad_size(text, text.front() == '-' ? "it is negative" : "a number is missing",
                        size_hint);
    }
    std::string_view rest = text;
    const number_and_unit part = take(rest);
    if (part.unit.starts_with('.')) {
        return bad_size(text, "fractions are not allowed", "write 1536KiB for 1.5MiB");
    }
    if (!rest.empty()) {
        return bad_size(text, "one number and one unit are expected", size_hint);
    }
    const std::size_t index = find_unit(size_units, part.unit.empty() ? "B" : part.unit);
    if (index == size_units.size()) {
        return bad_size(text, "unknown unit " + quoted(part.unit), size_hint);
    }
    std::uint64_t total = 0;
    if (!part.number || !add_product(total, *part.number, size_units[index].factor,
                                     std::numeric_limits<std::uint64_t>::max())) {
        return bad_size(text, "it is too large", "at most 18446744073709551615B");
    }
    return total;
}

std::string format_size(std::uint64_t bytes) {
    std::string shortest = std::to_string(bytes) + "B";
    if (bytes == 0) {
        return shortest;
    }
    for (const unit& u : size_units) {
        if (bytes % u.factor == 0) {
            std::string text = std::to_string(bytes / u.factor);
            text += u.name;
            if (text.size() < shortest.size()) {
                shortest = std::move(text);
            }
        }
    }
    return shortest;
}

}  // namespace libqueue
