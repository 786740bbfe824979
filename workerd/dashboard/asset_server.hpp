#pragma once

#include "net/http_types.hpp"

#include <string>
#include <string_view>

namespace workerd::dashboard {

/// Serves the dashboard: the page for the address of every screen, and what the page loads. All of
/// it is public: what the page shows comes from the API, with the token of whoever looks.
/// Immutable after construction; any thread; never blocks.
class asset_server {
   public:
    /// `base_path` is where a proxy mounts this server, "/" or "/queue/": the page finds its
    /// parts and the API below it. The proxy takes it off before it forwards a request.
    explicit asset_server(std::string_view base_path = "/");

    [[nodiscard]] http_response answer(const http_request& request) const;

   private:
    [[nodiscard]] http_response page(const http_request& request) const;

    std::string page_;      // index.html with its <base>
    std::string page_tag_;  // of it
};

/// Whether the path, without query, is the address of a screen.
[[nodiscard]] bool is_screen(std::string_view path) noexcept;

/// What a page may load and do (CSP level 3): its own files and the API, nothing inline, no markup
/// made from text.
inline constexpr std::string_view content_security_policy{
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"};

}  // namespace workerd::dashboard
