#pragma once

#include "settings.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

/// A place that is talked to under a name of its own: an API server or a database.
class named_context {
   public:
    std::string name;
    std::string server;      ///< URL of the API; empty: `db` counts
    std::string token_file;  ///< of the API token; never the token itself
    std::string ca_file;     ///< whom to trust instead of the system's authorities
    std::string db;          ///< libpq string or URI without password
    std::string schema;      ///< empty: queue
    /// What changes something demands the name of the context; --yes does not do.
    bool is_protected{false};
};

/// What `~/.config/qctl/config.yaml` says.
class context_list {
   public:
    std::string current;  ///< empty: none
    std::vector<named_context> entries;

    [[nodiscard]] const named_context* find(std::string_view name) const noexcept;
    /// `name` as it must be there; throws `stop` (not_found) with what there is.
    [[nodiscard]] const named_context& at(std::string_view name) const;
};

/// $QCTL_CONFIG, else below $XDG_CONFIG_HOME, else below $HOME; empty when none of them is set.
[[nodiscard]] std::filesystem::path context_path(const environment& around);

/// A file that is not there has no contexts. Throws `stop` (usage) when it is not readable, not
/// YAML of this shape, or open to others than its owner: it says where commands go.
[[nodiscard]] context_list read_contexts(const std::filesystem::path& path);
[[nodiscard]] context_list parse_contexts(std::string_view text, const std::string& path);
[[nodiscard]] std::string contexts_text(const context_list& of);

/// Mode 0600, replaced as a whole.
void write_contexts(const std::filesystem::path& path, const context_list& of);

/// 1 to 64 of a-z A-Z 0-9 _ . -; throws `stop` (usage) otherwise.
void demand_context_name(std::string_view name);

}  // namespace qctl
