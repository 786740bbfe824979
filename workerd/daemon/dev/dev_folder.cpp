#include "dev/dev_folder.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace workerd {

namespace {

constexpr std::string_view marker_name = ".workerd-dev";
constexpr std::array<std::string_view, 4> wiped{"data", "data.new", "mails", "webhooks"};
constexpr std::string_view socket_file = "/.s.PGSQL.5432.lock";

[[noreturn]] void refuse(const std::string& text) {
    throw std::runtime_error{text};
}

// PostgreSQL runs as another user when we are root: every folder above must let that user through.
void check_reachable(const std::filesystem::path& root, const system_user& owner) {
    std::filesystem::path walked;
    for (const auto& part : root) {
        walked /= part;
        struct stat status = {};
        if (::stat(walked.c_str(), &status) != 0)
            return;
        const bool enters = (status.st_mode & S_IXOTH) != 0 ||
                            (status.st_uid == owner.uid && (status.st_mode & S_IXUSR) != 0) ||
                            (status.st_gid == owner.gid && (status.st_mode & S_IXGRP) != 0);
        if (!enters)
            refuse(fmt::format(
                "expected a folder that the user {} can reach (PostgreSQL refuses to run "
                "as root), got {}, which is closed at {}; hint: --dev-dir "
                "/var/lib/workerd/dev, or run workerd as an ordinary user",
                owner.name, root.string(), walked.string()));
    }
}

void check_ours(const std::filesystem::path& root) {
    const bool is_new = !std::filesystem::exists(root) || std::filesystem::is_empty(root);
    if (!is_new && !std::filesystem::exists(root / marker_name))
        refuse(
            fmt::format("expected an empty folder or one of an earlier --dev, got {} with other "
                        "files in it; hint: choose another --dev-dir",
                        root.string()));
}

std::filesystem::path socket_folder(const std::filesystem::path& root) {
    auto beside = root / "run";
    if (beside.string().size() + socket_file.size() < sizeof(sockaddr_un::sun_path))
        return beside;
    const auto hash = std::hash<std::string>{}(root.string());
    return fmt::format("/tmp/workerd-dev-{}-{:x}", ::geteuid(), hash);
}

}  // namespace

std::filesystem::path default_dev_folder() {
    const char* data_home = std::getenv("XDG_DATA_HOME");
    if (data_home != nullptr && data_home[0] == '/')
        return std::filesystem::path{data_home} / "workerd/dev";
    if (::geteuid() == 0)
        return "/var/lib/workerd/dev";
    const char* home = std::getenv("HOME");
    if (home == nullptr || home[0] != '/')
        refuse("expected $HOME or $XDG_DATA_HOME to be set, got neither; hint: give --dev-dir");
    return std::filesystem::path{home} / ".local/share/workerd/dev";
}

dev_folder::dev_folder(const std::filesystem::path& root, const std::optional<system_user>& owner,
                       bool fresh)
    : root_{std::filesystem::absolute(root).lexically_normal()}, socket_{socket_folder(root_)} {
    if (root_.filename().empty())
        root_ = root_.parent_path();
    if (owner)
        check_reachable(root_, *owner);
    check_ours(root_);
    std::filesystem::create_directories(root_);
    make(root_, owner);
    std::ofstream{root_ / marker_name} << "Private data of workerd --dev; --dev=fresh wipes it.\n";
    lock();
    if (fresh) {
        for (const auto name : wiped)
            std::filesystem::remove_all(root_ / name);
        std::filesystem::remove(postgres_log());
    }
    // The sinks are ours, the cluster belongs to the user that runs PostgreSQL.
    make(mails(), std::nullopt);
    make(webhooks(), std::nullopt);
    make(socket_, owner);
}

dev_folder::~dev_folder() {
    if (lock_ >= 0)
        ::close(lock_);
}

void dev_folder::lock() {
    const auto path = root_ / "lock";
    lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_ < 0)
        refuse(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        std::string holder;
        std::ifstream{path} >> holder;
        ::close(lock_);
        lock_ = -1;
        refuse(
            fmt::format("expected a free dev folder, got {} in use by process {}; hint: stop that "
                        "process or choose another --dev-dir",
                        root_.string(), holder.empty() ? "?" : holder));
    }
    const auto pid = fmt::format("{}\n", ::getpid());
    // Only read by people and by the message above.
    if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, pid.data(), pid.size(), 0) < 0)
        refuse(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

void dev_folder::make(const std::filesystem::path& folder,
                      const std::optional<system_user>& folder_owner) const {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        refuse(fmt::format("cannot create {}: {}", folder.string(), std::strerror(errno)));
    struct stat status = {};
    // A folder in /tmp may have been put there by somebody else.
    const auto expected = folder_owner ? folder_owner->uid : ::geteuid();
    if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        (status.st_uid != expected && status.st_uid != ::geteuid()))
        refuse(fmt::format("expected a folder of our own, got {} of user id {}", folder.string(),
                           status.st_uid));
    if (::chmod(folder.c_str(), 0700) != 0 ||
        (folder_owner && ::chown(folder.c_str(), folder_owner->uid, folder_owner->gid) != 0))
        refuse(fmt::format("cannot take over {}: {}", folder.string(), std::strerror(errno)));
}

}  // namespace workerd
