#include <libqueue/filter.hpp>

#include <boost/json/parse.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// The text of a filter. What is accepted prints as a text that means the same, and what the
// database is given is JSON; what is refused says so without a crash.

namespace {

void expect(bool holds) {
    if (!holds)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // NOLINTNEXTLINE: the interface of libFuzzer
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static_cast<void>(libqueue::complete_filter(text));
    const auto first = libqueue::parse_filter(text);
    if (first.has_error()) {
        expect(!first.error().message.empty());
        return 0;
    }
    const std::string json = first->json();
    boost::system::error_code fault;
    expect(boost::json::parse(json, fault).is_array() && !fault);
    const std::string printed = first->text();
    // Quotes may make it longer than a text may be.
    constexpr std::size_t longest = 4096;
    if (printed.size() > longest)
        return 0;
    const auto second = libqueue::parse_filter(printed);
    expect(second.has_value() && second->json() == json && second->text() == printed);
    return 0;
}
