#include "processors/sms/segments.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace libqueue::processors::sms {

namespace {

/// Empty when the bytes are not UTF-8.
std::optional<std::vector<char32_t>> decoded(std::string_view text) {
    std::vector<char32_t> all;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || text.size() - i < size) {
            return std::nullopt;
        }
        std::uint32_t code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
        for (std::size_t k = 1; k < size; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xC0U) != 0x80U) {
                return std::nullopt;
            }
            code = (code << 6U) | (next & 0x3FU);
        }
        const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
        if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return std::nullopt;
        }
        all.push_back(static_cast<char32_t>(code));
        i += size;
    }
    return all;
}

constexpr std::u32string_view basic =
    U"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    U"ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
constexpr std::u32string_view extension = U"\f^{}\\[~]|€";

/// 1 or 2; 0: not in the alphabet.
int gsm_units(char32_t c) {
    if (basic.find(c) != std::u32string_view::npos) {
        return 1;
    }
    return extension.find(c) != std::u32string_view::npos ? 2 : 0;
}

int utf16_units(char32_t c) {
    return c > 0xFFFF ? 2 : 1;
}

template <typename Units>
int counted(const std::vector<char32_t>& text, const Units& units, int single, int part) {
    int all = 0;
    for (const auto c : text) {
        all += units(c);
    }
    if (all <= single) {
        return 1;
    }
    int segments = 1;
    int filled = 0;
    for (const auto c : text) {
        const int size = units(c);
        if (filled + size > part) {
            ++segments;
            filled = 0;
        }
        filled += size;
    }
    return segments;
}

}  // namespace

std::optional<int> segments_of(std::string_view utf8) {
    const auto text = decoded(utf8);
    if (!text) {
        return std::nullopt;
    }
    for (const auto c : *text) {
        if (gsm_units(c) == 0) {
            return counted(*text, utf16_units, 70, 67);
        }
    }
    return counted(*text, gsm_units, 160, 153);
}

}  // namespace libqueue::processors::sms
