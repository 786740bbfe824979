#include "dev/postgres_binaries.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace workerd {

namespace {

struct candidate {
    /// 0: unknown, from PATH.
    int major = 0;
    std::filesystem::path folder;
};

bool has_binaries(const std::filesystem::path& folder) {
    return ::access((folder / "initdb").c_str(), X_OK) == 0 &&
           ::access((folder / "postgres").c_str(), X_OK) == 0;
}

int number_in(std::string_view text) {
    const auto digit = text.find_first_of("0123456789");
    int number = 0;
    if (digit != std::string_view::npos)
        std::from_chars(text.data() + digit, text.data() + text.size(), number);
    return number;
}

void add_versioned(const std::filesystem::path& parent, std::string_view prefix,
                   std::vector<candidate>& found) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{parent, error}) {
        const auto name = entry.path().filename().string();
        const auto folder = entry.path() / "bin";
        if (name.starts_with(prefix) && number_in(name) > 0 && has_binaries(folder))
            found.push_back({number_in(name), folder});
    }
}

void add_path(std::vector<candidate>& found) {
    const char* variable = std::getenv("PATH");
    std::string_view rest = variable == nullptr ? "" : variable;
    while (!rest.empty()) {
        const auto colon = std::min(rest.find(':'), rest.size());
        const std::filesystem::path folder{rest.substr(0, colon)};
        rest.remove_prefix(std::min(colon + 1, rest.size()));
        if (folder.is_absolute() && has_binaries(folder))
            found.push_back({0, folder});
    }
}

}  // namespace

std::optional<std::filesystem::path> find_postgres_binaries(std::optional<int> major) {
    std::vector<candidate> found;
    add_versioned("/usr/lib/postgresql", "", found);
    add_versioned("/usr", "pgsql-", found);
    std::sort(found.begin(), found.end(),
              [](const auto& left, const auto& right) { return left.major > right.major; });
    std::vector<candidate> unversioned;
    add_path(unversioned);
    if (has_binaries("/usr/local/pgsql/bin"))
        unversioned.push_back({0, "/usr/local/pgsql/bin"});

    if (major) {
        for (const auto& each : found) {
            if (each.major == *major)
                return each.folder;
        }
    }
    // The user's PATH says which version is meant; it is trusted to fit the cluster.
    if (!unversioned.empty())
        return unversioned.front().folder;
    if (found.empty() || major)
        return std::nullopt;
    return found.front().folder;
}

}  // namespace workerd
