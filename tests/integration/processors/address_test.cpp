#include "processors/support/address.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <doctest/doctest.h>

#include <array>
#include <string>

namespace {

bool is_public(const char* text) {
    const boost::asio::ip::tcp::endpoint endpoint{boost::asio::ip::make_address(text), 443};
    return libqueue::processors::address_is_public(*endpoint.data());
}

}  // namespace

TEST_SUITE("processors: address") {
    TEST_CASE("address_is_public: refuses everything that is not globally reachable unicast") {
        constexpr std::array refused{
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:1::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456:789a::1",
            "fdff:ffff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "1fff:ffff::1",
        };
        for (const char* text : refused) {
            CAPTURE(text);
            CHECK_FALSE(is_public(text));
        }
    }

    TEST_CASE("address_is_public: allows public unicast, right up to the refused ranges") {
        constexpr std::array allowed{
            "1.1.1.1",         "8.8.8.8",         "9.255.255.255",        "11.0.0.0",
            "100.63.255.255",  "100.128.0.0",     "126.255.255.255",      "128.0.0.1",
            "169.253.255.255", "169.255.0.0",     "172.15.255.255",       "172.32.0.0",
            "192.0.1.0",       "192.0.3.0",       "192.167.255.255",      "192.169.0.0",
            "198.17.255.255",  "198.20.0.0",      "223.255.255.255",      "2000::1",
            "2001:200::1",     "2001:4860::8888", "2606:4700:4700::1111", "2a00:1450::1",
            "3ffe:ffff::1",    "3fff:1000::1",
        };
        for (const char* text : allowed) {
            CAPTURE(text);
            CHECK(is_public(text));
        }
    }

    TEST_CASE("address_is_public: refuses other families") {
        sockaddr local{};
        local.sa_family = AF_UNIX;
        CHECK_FALSE(libqueue::processors::address_is_public(local));
        local.sa_family = AF_UNSPEC;
        CHECK_FALSE(libqueue::processors::address_is_public(local));
    }
}
