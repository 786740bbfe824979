#include "processors/support/secret.hpp"

#include <openssl/crypto.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace libqueue::processors {

namespace {

constexpr std::size_t largest_secret = 64UL * 1024;

class file {
   public:
    explicit file(const std::filesystem::path& path)
        // Non-blocking, so that a FIFO planted at the path cannot hang the start.
        : fd_{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)} {}
    file(const file&) = delete;
    file& operator=(const file&) = delete;
    ~file() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

   private:
    int fd_;
};

error refused(const std::filesystem::path& path, const std::string& got, std::string hint) {
    return error{errc::invalid_argument, "secret file " + path.string() + ": " + got,
                 std::move(hint)};
}

bool is_credential(const std::filesystem::path& path) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    return directory != nullptr && *directory != '\0' &&
           path.parent_path() == std::filesystem::path{directory};
}

}  // namespace

secret::secret(std::string_view value) {
    if (!value.empty()) {
        bytes_.reserve(value.size() + 1);  // growing would leave a copy behind
        bytes_.assign(value.begin(), value.end());
        bytes_.push_back('\0');
    }
}

secret& secret::operator=(const secret& other) {
    if (this != &other) {
        wipe();
        bytes_ = other.bytes_;
    }
    return *this;
}

secret& secret::operator=(secret&& other) noexcept {
    if (this != &other) {
        wipe();
        bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
}

void secret::wipe() noexcept {
    if (!bytes_.empty()) {
        OPENSSL_cleanse(bytes_.data(), bytes_.size());
    }
}

result<secret> read_secret_file(const std::filesystem::path& path) {
    const file opened{path};
    if (opened.get() < 0) {
        const int why = errno;
        if (why == ELOOP) {
            return refused(path, "expected a regular file, got a symbolic link",
                           "name the file itself");
        }
        return refused(path, "cannot be opened: " + std::generic_category().message(why),
                       "check that it exists and belongs to the user the program runs as");
    }
    struct stat status {};
    if (::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return refused(path, "expected a regular file", {});
    }
    const mode_t forbidden =
        is_credential(path) ? (S_IWGRP | S_IXGRP | S_IRWXO) : (S_IRWXG | S_IRWXO);
    if ((status.st_mode & forbidden) != 0) {
        return refused(path, "is open to other users of this machine",
                       "chmod 600 " + path.string());
    }
    // One byte more than allowed tells a file that is too large from one that just fits.
    std::vector<char> bytes(largest_secret + 1);
    std::size_t size = 0;
    while (size < bytes.size()) {
        const auto got = ::read(opened.get(), bytes.data() + size, bytes.size() - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        size += static_cast<std::size_t>(got);
    }
    std::string_view text{bytes.data(), size};
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    if (text.ends_with('\r')) {
        text.remove_suffix(1);
    }
    secret value{text};
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (size > largest_secret) {
        return refused(path, "is larger than 64 KiB", {});
    }
    if (value.empty()) {
        return refused(path, "is empty", {});
    }
    return value;
}

}  // namespace libqueue::processors
