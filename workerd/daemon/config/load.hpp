#pragma once

#include "config/config.hpp"
#include "config/fault.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace workerd {

/// Where a configuration comes from, strongest first: flags, environment, file, defaults.
struct config_sources {
    /// Absent in dev mode.
    std::optional<std::filesystem::path> file;
    /// The text of `file` when it was read already; tests use it, too.
    std::optional<std::string> text;
    /// The whole environment; only ours is looked at.
    std::vector<std::pair<std::string, std::string>> environment;
    /// (path, value, flag as typed) in the order given.
    struct flag {
        std::string path;
        std::string value;
        std::string typed;
    };
    std::vector<flag> flags;
    /// In dev mode the database is our own child, so none is asked for.
    bool dev = false;
};

struct config_result {
    config value;
    /// Everything wrong, warnings included; the value is usable when is_usable().
    std::vector<config_fault> faults;

    [[nodiscard]] bool is_usable() const;
};

/// Reads, merges and checks. Never throws for anything a user can write.
[[nodiscard]] config_result load_config(const config_sources& sources);

/// The process environment as pairs.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> process_environment();

}  // namespace workerd
