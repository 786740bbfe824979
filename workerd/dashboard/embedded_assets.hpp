#pragma once

#include <span>
#include <string_view>

namespace workerd::dashboard {

/// One file of assets/, part of this program.
struct asset {
    std::string_view path;  ///< "/app-1a2b3c.js"
    std::string_view content_type;
    std::string_view digest;  ///< of the content, for the ETag
    std::string_view plain;
    std::string_view packed;  ///< gzip
};

/// Sorted by path; among them "/index.html".
[[nodiscard]] std::span<const asset> embedded_assets();

}  // namespace workerd::dashboard
