#pragma once

#include "temp_dir.hpp"

#include <filesystem>

namespace test {

/// A fresh self-signed certificate for localhost and 127.0.0.1 as PEM files. Being its own
/// authority, cert() is also what a client must be given to trust it.
class tls_certificate {
   public:
    tls_certificate();
    [[nodiscard]] std::filesystem::path cert() const { return dir_.path() / "cert.pem"; }
    [[nodiscard]] std::filesystem::path key() const { return dir_.path() / "key.pem"; }

   private:
    temp_dir dir_;
};

}  // namespace test
