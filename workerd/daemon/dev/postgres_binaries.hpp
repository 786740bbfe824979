#pragma once

#include <filesystem>
#include <optional>

namespace workerd {

/// The folder that holds both `initdb` and `postgres`, of the newest version found, or of exactly
/// `major` when a cluster exists already. Looks at PATH, then where Debian, Red Hat and the source
/// distribution put them: Debian keeps them out of PATH.
[[nodiscard]] std::optional<std::filesystem::path> find_postgres_binaries(
    std::optional<int> major = std::nullopt);

}  // namespace workerd
