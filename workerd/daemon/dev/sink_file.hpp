#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace workerd {

/// Writes a new file "<UTC time>-<number><extension>" into the folder, complete or not at all: a
/// reader that lists the folder never sees half a message. Returns its path. Throws
/// std::runtime_error when it cannot be written.
[[nodiscard]] std::filesystem::path write_sink_file(const std::filesystem::path& folder,
                                                    std::string_view extension,
                                                    std::string_view content);

}  // namespace workerd
