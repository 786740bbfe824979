#include "processors/payment/currency.hpp"

#include <algorithm>
#include <array>

namespace libqueue::processors::payment {

namespace {

// Sorted, for binary search.
constexpr std::array<std::string_view, 133> two_digits{
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
    "BGN", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF",
    "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR",
    "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF",
    "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP",
    "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK",
    "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD",
    "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP",
    "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES", "WST", "XCD", "YER",
    "ZAR", "ZMW", "ZWL"};
constexpr std::array<std::string_view, 17> no_digits{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                     "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                                     "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> three_digits{"BHD", "IQD", "JOD", "KWD",
                                                       "LYD", "OMR", "TND"};
constexpr std::array<std::string_view, 2> four_digits{"CLF", "UYW"};

template <typename List>
constexpr bool has(const List& list, std::string_view code) noexcept {
    return std::binary_search(list.begin(), list.end(), code);
}

static_assert(std::is_sorted(two_digits.begin(), two_digits.end()));
static_assert(std::is_sorted(no_digits.begin(), no_digits.end()));
static_assert(std::is_sorted(three_digits.begin(), three_digits.end()));

}  // namespace

std::optional<int> minor_digits(std::string_view code) noexcept {
    if (has(two_digits, code)) {
        return 2;
    }
    if (has(no_digits, code)) {
        return 0;
    }
    if (has(three_digits, code)) {
        return 3;
    }
    return has(four_digits, code) ? std::optional{4} : std::nullopt;
}

std::optional<std::int64_t> stripe_amount(std::int64_t minor, std::string_view code) {
    if (code == "ISK" || code == "UGX") {
        return minor * 100;
    }
    if (code == "MGA") {
        return minor % 100 == 0 ? std::optional{minor / 100} : std::nullopt;
    }
    if (has(three_digits, code) && minor % 10 != 0) {
        return std::nullopt;
    }
    return minor;
}

std::int64_t amount_from_stripe(std::int64_t amount, std::string_view code) {
    if (code == "ISK" || code == "UGX") {
        return amount / 100;
    }
    return code == "MGA" ? amount * 100 : amount;
}

std::string to_upper(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') {
            c = static_cast<char>(c - 'a' + 'A');
        }
    }
    return out;
}

}  // namespace libqueue::processors::payment
