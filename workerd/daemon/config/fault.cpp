#include "config/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace workerd {

namespace {

constexpr std::size_t quoted_bytes_max = 60;

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (code < 0x20 || code == 0x7f)
            out += fmt::format("\\x{:02x}", code);
        else
            out += byte;
    }
    return out;
}

std::string place(const origin& where) {
    if (where.line == 0)
        return escaped(where.source);
    return fmt::format("{}:{}:{}", escaped(where.source), where.line, where.column);
}

}  // namespace

std::string as_written(std::string_view text) {
    const bool cut = text.size() > quoted_bytes_max;
    auto shown = text.substr(0, quoted_bytes_max);
    // Never cut a UTF-8 sequence in half: the message would no longer be valid text.
    while (cut && !shown.empty() && (static_cast<unsigned char>(text[shown.size()]) & 0xc0) == 0x80)
        shown.remove_suffix(1);
    return fmt::format("\"{}{}\"", escaped(shown), cut ? "…" : "");
}

std::string to_text(const config_fault& fault) {
    auto line = place(fault.where);
    line += fault.level == severity::warning ? ": warning: " : ": ";
    if (!fault.path.empty())
        line += escaped(fault.path) + ": ";
    line += "expected " + fault.expected;
    if (!fault.got.empty())
        line += ", got " + fault.got;
    if (!fault.hint.empty())
        line += "; hint: " + fault.hint;
    return line;
}

std::string to_text(std::span<const config_fault> faults) {
    std::vector<const config_fault*> sorted;
    for (const auto& fault : faults)
        sorted.push_back(&fault);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) {
        return left->where.line < right->where.line;
    });

    std::string text;
    std::size_t fault_count = 0;
    for (const auto* fault : sorted) {
        text += to_text(*fault) + "\n";
        fault_count += fault->level == severity::fault ? 1 : 0;
    }
    const auto warning_count = faults.size() - fault_count;
    text += fmt::format("{} {}", fault_count, fault_count == 1 ? "fault" : "faults");
    if (warning_count > 0)
        text += fmt::format(", {} {}", warning_count, warning_count == 1 ? "warning" : "warnings");
    return text + "\n";
}

}  // namespace workerd
