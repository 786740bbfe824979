#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace test {

/// A private directory under $TMPDIR (or /tmp), removed with everything in it. The path is short:
/// a unix socket inside must fit in 107 bytes.
class temp_dir {
   public:
    temp_dir();
    ~temp_dir();
    temp_dir(const temp_dir&) = delete;
    temp_dir& operator=(const temp_dir&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Writes a file inside and returns its path.
    std::filesystem::path write(std::string_view name, std::string_view content) const;

   private:
    std::filesystem::path path_;
};

/// The whole file; empty when it does not exist.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// A TCP port on 127.0.0.1 that was free a moment ago. For programs that cannot be given port 0.
[[nodiscard]] unsigned short free_tcp_port();

}  // namespace test
