#pragma once

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <memory>

namespace workerd {

/// TLS 1.2 and 1.3 with this certificate chain and its key, both PEM. Throws std::runtime_error
/// that names the file and what is wrong with it; never what is in it.
[[nodiscard]] std::shared_ptr<boost::asio::ssl::context> load_tls(
    const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace workerd
