#include "store/key_files.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>

namespace libqueue::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 256;
constexpr std::size_t hex_length = 2 * core::key_bytes;
constexpr std::string_view key_suffix{".key"};
constexpr std::string_view hash_id{"hash"};
constexpr std::string_view active_name{"active"};
constexpr mode_t others = S_IRWXG | S_IRWXO;

class descriptor {
   public:
    explicit descriptor(int fd) noexcept : fd_{fd} {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

   private:
    int fd_;
};

/// A small secret text, wiped when it goes.
class secret_text {
   public:
    secret_text() = default;
    secret_text(const secret_text&) = delete;
    secret_text& operator=(const secret_text&) = delete;
    ~secret_text() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
    std::array<char, file_bytes_max + 1> bytes{};
    std::size_t size{0};
};

error refused(const fs::path& file, const std::string& got, std::string hint = {}) {
    return error{errc::invalid_argument, "key file " + file.string() + ": " + got, std::move(hint)};
}

std::string system_text(int why) {
    return std::generic_category().message(why);
}

std::string mode_text(mode_t mode) {
    std::array<char, 8> text{};
    static_cast<void>(
        std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U)));
    return text.data();
}

/// systemd shows its access list for the service's user as group-readable.
bool is_credentials(const fs::path& directory) {
    const char* given = std::getenv("CREDENTIALS_DIRECTORY");
    return given != nullptr && *given != '\0' && directory == fs::path{given};
}

result<void> check_status(const fs::path& file, const struct stat& status, mode_t forbidden) {
    if (!S_ISREG(status.st_mode)) {
        return refused(file, "expected a regular file, got another thing");
    }
    if ((status.st_mode & forbidden) != 0) {
        return refused(
            file, "expected a file nobody else may touch, got mode " + mode_text(status.st_mode),
            "chmod 600 " + file.string());
    }
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return refused(file,
                       "expected a file of this user or root, got one of user id " +
                           std::to_string(status.st_uid),
                       "chown it to user id " + std::to_string(::geteuid()));
    }
    return {};
}

/// Opened first and judged by descriptor, so that the file checked is the file read. Non-blocking,
/// so that a named pipe cannot hang the start.
result<void> read_text(const fs::path& file, secret_text& into) {
    const descriptor opened{::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
    if (opened.get() < 0) {
        const int why = errno;
        return why == ELOOP ? refused(file, "expected a regular file, got a symbolic link",
                                      "put the file itself there, so that nobody can redirect it")
                            : refused(file, system_text(why));
    }
    struct stat status {};
    if (::fstat(opened.get(), &status) != 0) {
        return refused(file, system_text(errno));
    }
    const mode_t forbidden =
        is_credentials(file.parent_path()) ? (S_IWGRP | S_IXGRP | S_IRWXO) : others;
    if (auto fit = check_status(file, status, forbidden); fit.has_error()) {
        return fit;
    }
    while (into.size < into.bytes.size()) {
        const auto got =
            ::read(opened.get(), into.bytes.data() + into.size, into.bytes.size() - into.size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return refused(file, system_text(errno));
        }
        if (got == 0) {
            break;
        }
        into.size += static_cast<std::size_t>(got);
    }
    while (into.size > 0 &&
           (into.bytes[into.size - 1] == '\n' || into.bytes[into.size - 1] == '\r')) {
        --into.size;
    }
    return {};
}

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char low = static_cast<char>(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool decode_hex(std::string_view text, unsigned char* into) noexcept {
    for (std::size_t i = 0; i < core::key_bytes; ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        into[i] = static_cast<unsigned char>(high * 16 + low);
    }
    return true;
}

result<void> read_key(const fs::path& file, unsigned char* into) {
    secret_text text;
    if (auto done = read_text(file, text); done.has_error()) {
        return done;
    }
    if (text.size == hex_length && decode_hex(text.view(), into)) {
        return {};
    }
    if (auto bytes = core::from_base64(text.view());
        bytes.has_value() && bytes->size() == core::key_bytes) {
        std::memcpy(into, bytes->data(), core::key_bytes);
        OPENSSL_cleanse(bytes->data(), bytes->size());
        return {};
    }
    return refused(file,
                   "expected 32 bytes as 64 hex digits or 44 characters of base64, got " +
                       std::to_string(text.size) + " characters that are neither",
                   "Make one with: qctl keys create");
}

/// Whoever can write here can plant keys.
result<void> check_directory(const fs::path& directory) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) {
        return error{errc::invalid_argument,
                     "key directory " + directory.string() + ": " + system_text(errno),
                     "Make it with: qctl keys create " + directory.string()};
    }
    if (!S_ISDIR(status.st_mode)) {
        return error{errc::invalid_argument,
                     "key directory " + directory.string() + ": expected a directory"};
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
        (status.st_uid != 0 && status.st_uid != ::geteuid())) {
        return error{errc::invalid_argument,
                     "key directory " + directory.string() +
                         ": expected one that this user or root owns and nobody else may write, "
                         "got mode " +
                         mode_text(status.st_mode) + " of user id " + std::to_string(status.st_uid),
                     "chmod 700 " + directory.string()};
    }
    return {};
}

/// Ids of the key files, in byte order.
result<std::vector<std::string>> list_ids(const fs::path& directory) {
    std::vector<std::string> ids;
    std::error_code fault;
    for (fs::directory_iterator each{directory, fault}, end; !fault && each != end;
         each.increment(fault)) {
        const std::string name = each->path().filename().string();
        if (!name.ends_with(key_suffix)) {
            continue;
        }
        std::string id = name.substr(0, name.size() - key_suffix.size());
        if (id != hash_id && !is_key_id(id)) {
            return refused(each->path(), "expected a name of 1 to 80 of a-z 0-9 . _ - before .key");
        }
        ids.push_back(std::move(id));
    }
    if (fault) {
        return error{errc::invalid_argument,
                     "key directory " + directory.string() + ": " + fault.message()};
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

bool is_tenant_key(std::string_view id) noexcept {
    return id.starts_with("tenant-");
}

result<void> write_new(const fs::path& file, std::string_view text) {
    const descriptor made{
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (made.get() < 0) {
        const int why = errno;
        return why == EEXIST ? refused(file, "expected a new name, got one that is taken",
                                       "A key is never overwritten: jobs may need it.")
                             : refused(file, system_text(why));
    }
    if (::write(made.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(made.get()) != 0) {
        return refused(file, system_text(errno));
    }
    return {};
}

/// A key whose name a crash forgets is a key lost with everything sealed by it.
void sync_directory(const fs::path& directory) {
    const descriptor opened{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    static_cast<void>(::fsync(opened.get()));
}

result<void> write_key(const fs::path& file) {
    std::array<unsigned char, core::key_bytes> key{};
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
        throw failure{"OpenSSL: RAND_bytes failed", {}, false, false};
    }
    std::string text = core::to_base64({reinterpret_cast<const char*>(key.data()), key.size()});
    text += '\n';
    auto done = write_new(file, text);
    OPENSSL_cleanse(key.data(), key.size());
    OPENSSL_cleanse(text.data(), text.size());
    return done;
}

}  // namespace

key_memory::key_memory(std::size_t keys) : bytes_{0}, locked_{false} {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    bytes_ = (std::max<std::size_t>(1, keys) * core::key_bytes + page - 1) / page * page;
    void* const made =
        ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) {
        throw std::bad_alloc{};
    }
    start_ = static_cast<unsigned char*>(made);
    locked_ = ::mlock(start_, bytes_) == 0;
    static_cast<void>(::madvise(start_, bytes_, MADV_DONTDUMP));
}

key_memory::~key_memory() {
    OPENSSL_cleanse(start_, bytes_);
    ::munmap(start_, bytes_);
}

unsigned char* key_memory::at(std::size_t index) noexcept {
    return start_ + index * core::key_bytes;
}

core::key_view key_memory::key(std::size_t index) const noexcept {
    return core::key_view{start_ + index * core::key_bytes, core::key_bytes};
}

std::optional<core::key_view> key_set::find(std::string_view id) const {
    const auto found = ids.find(id);
    return found == ids.end() ? std::nullopt : std::optional{memory->key(found->second)};
}

std::optional<core::key_view> key_set::hash() const {
    return hash_at ? std::optional{memory->key(*hash_at)} : std::nullopt;
}

std::string key_set::tenant_key(std::string_view tenant_id) const {
    const std::string first = "tenant-" + std::string{tenant_id};
    std::string last;
    for (auto each = ids.lower_bound(first); each != ids.end() && each->first.starts_with(first);
         ++each) {
        // The UUID, or the UUID and a dot: not another name that begins alike.
        if (each->first.size() == first.size() || each->first[first.size()] == '.') {
            last = each->first;
        }
    }
    return last;
}

result<key_set> read_keys(const fs::path& directory) {
    if (auto fit = check_directory(directory); fit.has_error()) {
        return fit.error();
    }
    auto ids = list_ids(directory);
    if (ids.has_error()) {
        return ids.error();
    }
    key_set made;
    made.memory = std::make_unique<key_memory>(ids->size());
    for (std::size_t i = 0; i < ids->size(); ++i) {
        const std::string& id = (*ids)[i];
        if (auto read = read_key(directory / (id + std::string{key_suffix}), made.memory->at(i));
            read.has_error()) {
            return read.error();
        }
        if (id == hash_id) {
            made.hash_at = i;
        } else {
            made.ids.emplace(id, i);
        }
    }
    if (made.ids.empty()) {
        return error{errc::invalid_argument,
                     "key directory " + directory.string() + ": expected a key, got none",
                     "Make one with: qctl keys create " + directory.string()};
    }
    secret_text active;
    const fs::path file = directory / active_name;
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file, ignored))) {
        if (auto read = read_text(file, active); read.has_error()) {
            return read.error();
        }
        made.active = active.view();
        if (!made.ids.contains(made.active)) {
            const bool shown = is_key_id(made.active);
            return refused(file,
                           shown ? "names key " + made.active + ", which is not here"
                                 : std::string{"expected the id of a key, got other text"},
                           "Choose one with: qctl keys rotate");
        }
    }
    return made;
}

}  // namespace libqueue::store

namespace libqueue {

bool is_key_id(std::string_view id) noexcept {
    constexpr std::size_t most = 80;
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !id.empty() && id.size() <= most && plain(id.front()) && id != store::hash_id &&
           std::all_of(id.begin(), id.end(),
                       [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

result<void> create_key(const std::filesystem::path& directory, std::string_view id) {
    if (!is_key_id(id)) {
        return error{errc::invalid_argument,
                     "key id: expected 1 to 80 of a-z 0-9 . _ -, beginning with a letter or digit, "
                     "and not hash"};
    }
    if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        return error{errc::invalid_argument,
                     "key directory " + directory.string() + ": " + store::system_text(errno)};
    }
    if (auto fit = store::check_directory(directory); fit.has_error()) {
        return fit;
    }
    const std::string name{id};
    if (auto made = store::write_key(directory / (name + ".key")); made.has_error()) {
        return made;
    }
    std::error_code ignored;
    if (!std::filesystem::exists(directory / "hash.key", ignored)) {
        if (auto made = store::write_key(directory / "hash.key"); made.has_error()) {
            return made;
        }
    }
    store::sync_directory(directory);
    const bool first = !std::filesystem::exists(directory / store::active_name, ignored);
    return first && !store::is_tenant_key(id) ? activate_key(directory, id) : result<void>{};
}

result<void> activate_key(const std::filesystem::path& directory, std::string_view id) {
    const std::string name{id};
    if (auto fit = store::check_directory(directory); fit.has_error()) {
        return fit;
    }
    if (!is_key_id(id) || store::is_tenant_key(id)) {
        return error{errc::invalid_argument,
                     "key id: expected one that is no tenant's: of a tenant's keys the last in "
                     "byte order seals"};
    }
    std::error_code fault;
    if (!std::filesystem::exists(directory / (name + ".key"), fault)) {
        return store::refused(directory / (name + ".key"), "expected a key, got no such file");
    }
    // Written beside and renamed: a reader sees the one or the other id.
    const auto beside = directory / ("active." + std::to_string(::getpid()));
    std::filesystem::remove(beside, fault);
    if (auto made = store::write_new(beside, name + "\n"); made.has_error()) {
        return made;
    }
    std::filesystem::rename(beside, directory / store::active_name, fault);
    if (fault) {
        return store::refused(directory / store::active_name, fault.message());
    }
    store::sync_directory(directory);
    return {};
}

}  // namespace libqueue
