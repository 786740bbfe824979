#include "config/secrets.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace workerd {

namespace {

// Closes a descriptor at the end of the scope.
class open_file {
   public:
    explicit open_file(int descriptor) : descriptor_{descriptor} {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }
    [[nodiscard]] int get() const noexcept { return descriptor_; }

   private:
    int descriptor_;
};

secret_complaint open_complaint(const std::filesystem::path& path, int error) {
    const auto shown = path.string();
    if (error == ELOOP)
        return {"a symbolic link: " + shown,
                "name the file itself, so that nobody can redirect it"};
    if (error == ENOENT)
        return {"no file " + shown, "create it with mode 0600, or load it as a systemd credential"};
    if (error == EACCES)
        return {"a file this user cannot read: " + shown,
                fmt::format("chown it to user id {}", ::geteuid())};
    return {fmt::format("{}: {}", shown, std::strerror(error)), "name a regular file"};
}

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
    return !folder.empty() && path.parent_path() == folder;
}

}  // namespace

std::filesystem::path locate_secret(const std::filesystem::path& written,
                                    const std::filesystem::path& base,
                                    const std::filesystem::path& credentials) {
    if (written.is_absolute())
        return written;
    std::error_code ignored;
    if (!credentials.empty() && !written.has_parent_path() &&
        std::filesystem::exists(credentials / written, ignored))
        return credentials / written;
    return base / written;
}

std::variant<std::string, secret_complaint> read_secret(const std::filesystem::path& path,
                                                        const std::filesystem::path& credentials) {
    // Opened first and judged by descriptor, so that the file checked is the file read. O_NONBLOCK
    // keeps a named pipe from blocking the start.
    const open_file file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
    if (file.get() < 0)
        return open_complaint(path, errno);
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return secret_complaint{"not a regular file: " + path.string(), "name a regular file"};
    if (!is_inside(path, credentials)) {
        if ((status.st_mode & 077U) != 0)
            return secret_complaint{
                fmt::format("mode {:04o} of {}", status.st_mode & 07777U, path.string()),
                fmt::format("group and others must not touch it: chmod 600 {}", path.string())};
        if (status.st_uid != 0 && status.st_uid != ::geteuid())
            return secret_complaint{
                fmt::format("{} owned by user id {}", path.string(), status.st_uid),
                fmt::format("chown it to user id {}", ::geteuid())};
    }
    if (static_cast<std::size_t>(status.st_size) > secret_bytes_max)
        return secret_complaint{fmt::format("{} bytes in {}", status.st_size, path.string()),
                                fmt::format("a secret has at most {} bytes", secret_bytes_max)};

    std::string text(secret_bytes_max, '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        const auto got = ::read(file.get(), text.data() + filled, text.size() - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        filled += static_cast<std::size_t>(got);
    }
    text.resize(filled);
    if (text.ends_with('\n'))
        text.pop_back();
    if (text.ends_with('\r'))
        text.pop_back();
    if (text.empty())
        return secret_complaint{"an empty file " + path.string(), "write the secret into it"};
    if (text.find('\0') != std::string::npos || text.find('\n') != std::string::npos)
        return secret_complaint{"more than one line in " + path.string(),
                                "a secret is one line of text"};
    return text;
}

}  // namespace workerd
