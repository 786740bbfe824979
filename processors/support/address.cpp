#include "processors/support/address.hpp"

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace libqueue::processors {

namespace {

struct v4_range {
    std::uint32_t first;
    int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

constexpr std::array special_v4{
    v4_range{v4(0, 0, 0, 0), 8},        // this network
    v4_range{v4(10, 0, 0, 0), 8},       // private
    v4_range{v4(100, 64, 0, 0), 10},    // carrier-grade NAT
    v4_range{v4(127, 0, 0, 0), 8},      // loopback
    v4_range{v4(169, 254, 0, 0), 16},   // link-local, cloud metadata
    v4_range{v4(172, 16, 0, 0), 12},    // private
    v4_range{v4(192, 0, 0, 0), 24},     // protocol assignments
    v4_range{v4(192, 0, 2, 0), 24},     // documentation
    v4_range{v4(192, 88, 99, 0), 24},   // 6to4 relays
    v4_range{v4(192, 168, 0, 0), 16},   // private
    v4_range{v4(198, 18, 0, 0), 15},    // benchmarking
    v4_range{v4(198, 51, 100, 0), 24},  // documentation
    v4_range{v4(203, 0, 113, 0), 24},   // documentation
    v4_range{v4(224, 0, 0, 0), 4},      // multicast
    v4_range{v4(240, 0, 0, 0), 4},      // reserved, broadcast
};

bool v4_is_public(std::uint32_t address) noexcept {
    for (const auto& range : special_v4) {
        const auto shift = static_cast<std::uint32_t>(32 - range.bits);
        if (address >> shift == range.first >> shift) {
            return false;
        }
    }
    return true;
}

/// The first 64 bits decide: nothing inside 2000::/3 is special below that.
bool v6_is_public(std::uint64_t head) noexcept {
    const auto starts = [head](std::uint64_t prefix, unsigned bits) {
        return head >> (64U - bits) == prefix >> (64U - bits);
    };
    return starts(0x2000'0000'0000'0000U, 3) &&    // global unicast; all else is special
           !starts(0x2001'0000'0000'0000U, 23) &&  // Teredo, ORCHID, benchmarking
           !starts(0x2001'0db8'0000'0000U, 32) &&  // documentation
           !starts(0x2002'0000'0000'0000U, 16) &&  // 6to4
           !starts(0x3fff'0000'0000'0000U, 20);    // documentation
}

}  // namespace

bool address_is_public(const sockaddr& address) noexcept {
    if (address.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        return v4_is_public(ntohl(in.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &address, sizeof in);
        std::uint64_t head = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            head = (head << 8U) | in.sin6_addr.s6_addr[i];
        }
        return v6_is_public(head);
    }
    return false;
}

}  // namespace libqueue::processors
