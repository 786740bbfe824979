#include "dev_database.hpp"

#include "stop.hpp"

#include <fstream>

namespace qctl {

std::filesystem::path dev_folder(const environment& around) {
    const auto data_home = around.variable("XDG_DATA_HOME").value_or("");
    if (data_home.starts_with('/')) {
        return std::filesystem::path{data_home} / "workerd/dev";
    }
    if (around.is_root) {
        return "/var/lib/workerd/dev";
    }
    const auto home = around.variable("HOME").value_or("");
    if (!home.starts_with('/')) {
        throw usage("--dev: expected HOME or XDG_DATA_HOME to be set, got neither",
                    "pass --db with the DSN that workerd --dev printed");
    }
    return std::filesystem::path{home} / ".local/share/workerd/dev";
}

std::string dev_database(const environment& around) {
    constexpr std::string_view key = "DATABASE_URL='";
    const auto path = dev_folder(around) / "dev.env";
    std::ifstream file{path};
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with(key) && line.ends_with('\'')) {
            return line.substr(key.size(), line.size() - key.size() - 1);
        }
    }
    throw stop{exit_code::unreachable, "unreachable",
               "no development database: " + path.string() + " does not name one",
               "start it with: workerd --dev"};
}

}  // namespace qctl
