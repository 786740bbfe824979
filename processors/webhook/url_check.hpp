#pragma once

#include <string>

namespace libqueue::processors::webhook {

/// Which URLs may be delivered to, before anything is resolved; whom they lead to is decided on the
/// resolved address as the socket is opened (support/address.hpp).
class url_rules {
   public:
    url_rules(bool allow_http_, bool any_port_) : allow_http{allow_http_}, any_port{any_port_} {}
    bool allow_http;  ///< http:// as well as https://
    /// Otherwise ports below 1024 are refused but for 80 and 443: other protocols live there, and
    /// some of their servers can be made to obey the body of a POST.
    bool any_port;
};

/// What is wrong with the URL, for people and without quoting it; empty when nothing is.
[[nodiscard]] std::string url_fault(const std::string& url, const url_rules& rules);

}  // namespace libqueue::processors::webhook
