#pragma once

#include <libqueue/error.hpp>

#include <filesystem>
#include <string_view>
#include <vector>

namespace libqueue::processors {

/// A password or key in memory. It has no stream operator and no formatter, so it cannot slip into
/// a log line; `reveal()` is what to search for in a review. Every copy wipes its bytes when it
/// goes. Moving leaves the source empty. Distinct objects may be used from distinct threads.
class secret {
   public:
    secret() = default;
    explicit secret(std::string_view value);
    secret(const secret&) = default;
    secret(secret&&) noexcept = default;
    secret& operator=(const secret& other);
    secret& operator=(secret&& other) noexcept;
    ~secret() { wipe(); }

    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    [[nodiscard]] std::string_view reveal() const noexcept {
        return empty() ? std::string_view{} : std::string_view{bytes_.data(), bytes_.size() - 1};
    }
    /// The same for C interfaces, which read it up to the first NUL.
    [[nodiscard]] const char* reveal_c_str() const noexcept { return empty() ? "" : bytes_.data(); }

   private:
    void wipe() noexcept;

    // Ends in a NUL unless empty. Not std::string: moving one with a short value leaves a copy of
    // it in the source's buffer.
    std::vector<char> bytes_;
};

/// Reads a secret from a file: at most 64 KiB, one trailing newline removed, not empty.
/// Refused: a symbolic link, anything but a regular file, and a mode that lets the group or others
/// read, write or execute it. Files directly in $CREDENTIALS_DIRECTORY may be readable by their
/// group, because that is how systemd's access list for the service's user shows in the mode.
/// Error: invalid_argument, naming the path and never the content. Blocks.
[[nodiscard]] result<secret> read_secret_file(const std::filesystem::path& path);

}  // namespace libqueue::processors
