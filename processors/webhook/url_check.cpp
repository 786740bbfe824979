#include "processors/webhook/url_check.hpp"

#include "processors/support/text_rules.hpp"

#include <curl/curl.h>

#include <cstdlib>
#include <memory>

namespace libqueue::processors::webhook {

namespace {

constexpr std::size_t longest_url = 2048;
constexpr int first_common_port = 1024;

class parts_deleter {
   public:
    void operator()(CURLU* parts) const noexcept { curl_url_cleanup(parts); }
};

std::string part_of(CURLU* parts, CURLUPart which, unsigned int flags = 0) {
    char* text = nullptr;
    curl_url_get(parts, which, &text, flags);
    std::string copy{text == nullptr ? "" : text};
    curl_free(text);
    return copy;
}

}  // namespace

std::string url_fault(const std::string& url, const url_rules& rules) {
    const std::unique_ptr<CURLU, parts_deleter> parts{curl_url()};
    if (url.size() > longest_url || has_control_characters(url) || !parts ||
        curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
        return "expected a URL of at most 2048 characters";
    }
    const auto scheme = part_of(parts.get(), CURLUPART_SCHEME);
    if (scheme != "https" && !(rules.allow_http && scheme == "http")) {
        return rules.allow_http ? "expected https:// or http://" : "expected https://";
    }
    if (part_of(parts.get(), CURLUPART_HOST).empty()) {
        return "expected a host name";
    }
    if (!part_of(parts.get(), CURLUPART_USER).empty() ||
        !part_of(parts.get(), CURLUPART_PASSWORD).empty()) {
        return "must not carry a user name or password";
    }
    const int port = std::atoi(part_of(parts.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str());
    if (!rules.any_port && port < first_common_port && port != 80 && port != 443) {
        return "expected port 80, 443 or one from 1024 on";
    }
    return {};
}

}  // namespace libqueue::processors::webhook
