#include "zone.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>

namespace qctl {

namespace {

char small(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Old local mean times have seconds.
std::string offset_text(std::chrono::seconds offset) {
    const char sign = offset.count() < 0 ? '-' : '+';
    const std::chrono::hh_mm_ss parts{std::chrono::abs(offset)};
    std::array<char, 32> text{};
    const auto hours = static_cast<long>(parts.hours().count());
    const auto minutes = static_cast<long>(parts.minutes().count());
    const auto seconds = static_cast<long>(parts.seconds().count());
    std::snprintf(text.data(), text.size(), seconds == 0 ? "%c%02ld:%02ld" : "%c%02ld:%02ld:%02ld",
                  sign, hours, minutes, seconds);
    return text.data();
}

}  // namespace

std::vector<std::string> zone_names() {
    std::vector<std::string> names;
    try {
        for (const auto& each : date::get_tzdb().zones) {
            names.push_back(each.name());
        }
    } catch (const std::exception&) {
        // No tzdata on this machine: there is no zone but UTC.
        names = {"UTC"};
    }
    return names;
}

std::optional<std::string> find_zone(std::string_view name) {
    for (auto& each : zone_names()) {
        if (std::ranges::equal(each, name, {}, small, small)) {
            return std::move(each);
        }
    }
    return std::nullopt;
}

std::string zoned_instant(time_point when, const std::string& zone) {
    auto offset = std::chrono::seconds{0};
    if (zone != "UTC") {
        offset = date::locate_zone(zone)->get_info(date::floor<std::chrono::seconds>(when)).offset;
    }
    auto text = iso_instant(when + offset);
    text.pop_back();
    return text + offset_text(offset);
}

}  // namespace qctl
