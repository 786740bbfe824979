#pragma once

#include "processors/mint/public_key.hpp"
#include "processors/support/locked_memory.hpp"

#include <libqueue/error.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace libqueue::processors::mint {

/// The ed25519 key of the wallet that pays and mints, in locked memory. It can sign and nothing
/// else: there is no way to read the secret half. Any thread.
class signing_key {
   public:
    /// From the 64 bytes that Solana's tools keep: seed, then public key. `text` is a JSON array of
    /// 64 numbers or base58. Error: invalid_argument, never with content, when it is neither or the
    /// two halves do not belong together. Throws std::runtime_error when memory cannot be locked.
    [[nodiscard]] static result<std::shared_ptr<const signing_key>> parse(std::string_view text);
    /// The same from a file as `read_secret_file` takes it; errors name the path.
    [[nodiscard]] static result<std::shared_ptr<const signing_key>> read(
        const std::filesystem::path& path);

    /// `seed` must be 32 bytes. Public for std::make_shared; use `parse`.
    explicit signing_key(std::string_view seed);

    [[nodiscard]] const public_key& address() const noexcept { return address_; }
    /// RFC 8032, 64 bytes. OpenSSL holds a copy of the key for the length of the call and wipes it.
    [[nodiscard]] std::string sign(std::string_view message) const;

   private:
    locked_memory seed_;
    public_key address_;
};

}  // namespace libqueue::processors::mint
