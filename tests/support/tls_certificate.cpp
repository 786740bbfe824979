#include "tls_certificate.hpp"

#include "process.hpp"

#include <stdexcept>

namespace test {

tls_certificate::tls_certificate() {
    const process_options openssl{
        "openssl",
        {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key().string(), "-out",
         cert().string()}};
    const auto done = run_command(openssl);
    if (done.code != 0) {
        throw std::runtime_error{"openssl req failed: " + done.errors};
    }
}

}  // namespace test
