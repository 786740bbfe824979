#include "net/tls_keys.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace workerd {

namespace ssl = boost::asio::ssl;

namespace {

void check(const boost::system::error_code& error, const std::filesystem::path& file,
           const char* expected) {
    if (error)
        throw std::runtime_error{
            fmt::format("{}: expected {}, got: {}", file.string(), expected, error.message())};
}

}  // namespace

std::shared_ptr<ssl::context> load_tls(const std::filesystem::path& certificate,
                                       const std::filesystem::path& key) {
    auto made = std::make_shared<ssl::context>(ssl::context::tls_server);
    boost::system::error_code error;
    made->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                          ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                      error);
    check(error, certificate, "TLS 1.2 or newer to be available");
    made->use_certificate_chain_file(certificate.string(), error);
    check(error, certificate, "a certificate chain in PEM");
    made->use_private_key_file(key.string(), ssl::context::pem, error);
    check(error, key, "the private key of that certificate, in PEM");
    return made;
}

}  // namespace workerd
