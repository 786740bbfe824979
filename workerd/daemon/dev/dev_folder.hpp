#pragma once

#include "dev/child_process.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace workerd {

/// Where dev mode keeps everything when nothing else was said: $XDG_DATA_HOME/workerd/dev, else
/// ~/.local/share/workerd/dev. Root's home is closed to the user PostgreSQL runs as, so root
/// without $XDG_DATA_HOME gets /var/lib/workerd/dev.
[[nodiscard]] std::filesystem::path default_dev_folder();

/// The folder of dev mode: created, marked as ours and locked for as long as this object lives, so
/// that two processes never share a cluster.
///
///   data/          the PostgreSQL cluster
///   mails/         one .eml per mail the sink took
///   webhooks/      one .json per request the sink took
///   run/           PostgreSQL's socket, unless the path would be too long for one
///   postgres.log
class dev_folder {
   public:
    /// Throws std::runtime_error with a line for the user: locked by another process, not ours, not
    /// reachable for `owner`. `fresh` wipes what earlier runs left.
    dev_folder(const std::filesystem::path& root, const std::optional<system_user>& owner,
               bool fresh);
    dev_folder(const dev_folder&) = delete;
    dev_folder& operator=(const dev_folder&) = delete;
    ~dev_folder();

    [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }
    [[nodiscard]] std::filesystem::path data() const { return root_ / "data"; }
    [[nodiscard]] std::filesystem::path mails() const { return root_ / "mails"; }
    [[nodiscard]] std::filesystem::path webhooks() const { return root_ / "webhooks"; }
    [[nodiscard]] std::filesystem::path postgres_log() const { return root_ / "postgres.log"; }
    [[nodiscard]] const std::filesystem::path& socket() const noexcept { return socket_; }

   private:
    void lock();
    void make(const std::filesystem::path& folder,
              const std::optional<system_user>& folder_owner) const;

    std::filesystem::path root_;
    std::filesystem::path socket_;
    int lock_ = -1;
};

}  // namespace workerd
