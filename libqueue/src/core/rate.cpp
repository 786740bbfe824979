#include "core/limits.hpp"

#include <libqueue/limit_options.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace libqueue {
namespace {

class unit {
   public:
    std::string_view name;
    double seconds;
};

constexpr std::array<unit, 8> units{{
    {"s", 1},
    {"sec", 1},
    {"m", 60},
    {"min", 60},
    {"h", 3'600},
    {"hour", 3'600},
    {"d", 86'400},
    {"day", 86'400},
}};

}  // namespace

result<double> parse_rate(std::string_view text) {
    constexpr std::size_t shown = 40;
    const auto wrong = [&] {
        std::string got;
        for (const char c : text.substr(0, shown)) {
            got += c >= ' ' && c <= '~' ? c : '?';
        }
        return error{errc::invalid_argument,
                     "rate: expected a number per unit of time, 0.000001 to 100000 per second, "
                     "got \"" +
                         got + "\"",
                     "write 5/s, 1000/min, 20/h or 100/d"};
    };
    double number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, ec] = std::from_chars(text.data(), last, number, std::chars_format::fixed);
    if (ec != std::errc{}) {
        return wrong();
    }
    double seconds = 1;
    if (const std::string_view rest{end, static_cast<std::size_t>(last - end)}; !rest.empty()) {
        const auto found = std::find_if(units.begin(), units.end(), [&](const unit& one) {
            return rest.front() == '/' && one.name == rest.substr(1);
        });
        if (found == units.end()) {
            return wrong();
        }
        seconds = found->seconds;
    }
    const double rate = number / seconds;
    // Not a number fails both comparisons.
    if (!(rate >= limits::rate_min && rate <= limits::rate_max) && number != 0) {
        return wrong();
    }
    return rate;
}

}  // namespace libqueue
