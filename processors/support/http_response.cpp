#include "processors/support/http_request.hpp"
#include "processors/support/text_rules.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace libqueue::processors {

std::string_view http_response::header(std::string_view name) const noexcept {
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [name](const auto& header) { return header.first == name; });
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

std::optional<std::chrono::milliseconds> retry_after_of(const http_response& response,
                                                        std::chrono::system_clock::time_point now) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours{24};
    const auto text = trimmed(response.header("retry-after"));
    if (text.empty()) {
        return std::nullopt;
    }
    std::int64_t seconds = 0;
    const char* const begin = std::to_address(text.begin());
    const char* const end = begin + text.size();
    const auto [stop, failed] = std::from_chars(begin, end, seconds);
    if (stop == end && failed == std::errc::result_out_of_range) {
        return longest;
    }
    if (stop != end || failed != std::errc{}) {
        const auto date = curl_getdate(std::string{text}.c_str(), nullptr);
        if (date == -1) {
            return std::nullopt;
        }
        seconds = date - std::chrono::system_clock::to_time_t(now);
    }
    const std::int64_t most = std::chrono::duration_cast<std::chrono::seconds>(longest).count();
    return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, most)};
}

}  // namespace libqueue::processors
