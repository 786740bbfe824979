#pragma once

#include "config/fault.hpp"

#include <filesystem>
#include <string>
#include <variant>

namespace workerd {

/// Why a secret cannot be read, said without the secret.
struct secret_complaint {
    std::string got;
    std::string hint;
};

/// Secrets larger than this are a mistake: somebody named the wrong file.
constexpr std::size_t secret_bytes_max = 64 << 10;

/// Where a `*_file` option points. A name without slash is a systemd credential when
/// $CREDENTIALS_DIRECTORY has one of that name; any other relative path counts from `base`, the
/// folder of the configuration file.
[[nodiscard]] std::filesystem::path locate_secret(const std::filesystem::path& written,
                                                  const std::filesystem::path& base,
                                                  const std::filesystem::path& credentials);

/// Reads a secret, without its trailing line end. Refuses symbolic links, anything but a regular
/// file, files of other owners than root and this user, and files that group or others may touch.
/// Inside `credentials` the mode is systemd's business: with an ACL it shows as group-readable.
[[nodiscard]] std::variant<std::string, secret_complaint> read_secret(
    const std::filesystem::path& path, const std::filesystem::path& credentials);

}  // namespace workerd
