#include "named_contexts.hpp"

#include "config/suggest.hpp"
#include "config/yaml_tree.hpp"
#include "descriptor.hpp"
#include "printable.hpp"
#include "stop.hpp"
#include "values.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace qctl {

namespace {

using workerd::yaml_node;

constexpr std::size_t longest_name = 64;

class text_field {
   public:
    std::string_view key;
    std::string named_context::*member;
};

// In the order in which they are written.
constexpr std::array fields{
    text_field{"server", &named_context::server},
    text_field{"token_file", &named_context::token_file},
    text_field{"ca_file", &named_context::ca_file},
    text_field{"db", &named_context::db},
    text_field{"schema", &named_context::schema},
};

stop bad_file(const workerd::origin& where, const std::string& expected, const std::string& got) {
    return usage(
        where.source + ":" + std::to_string(where.line) + ": expected " + expected + ", got " + got,
        "qctl context list shows the contexts");
}

void demand_shape(const yaml_node& node, yaml_node::shape wanted, const std::string& what) {
    if (node.form != wanted) {
        throw bad_file(node.where, what, workerd::describe(node));
    }
}

bool read_truth(const yaml_node& node) {
    if (node.form != yaml_node::shape::scalar || (node.text != "true" && node.text != "false")) {
        throw bad_file(node.where, "true or false", workerd::describe(node));
    }
    return node.text == "true";
}

named_context read_entry(const yaml_node::entry& from) {
    demand_context_name(from.key);
    demand_shape(from.value, yaml_node::shape::mapping, "the fields of a context");
    named_context entry;
    entry.name = from.key;
    for (const auto& field : from.value.entries) {
        const auto* const known =
            std::ranges::find_if(fields, [&](const auto& each) { return each.key == field.key; });
        if (known != fields.end()) {
            demand_shape(field.value, yaml_node::shape::scalar, "a text");
            entry.*(known->member) = field.value.text;
        } else if (field.key == "protected") {
            entry.is_protected = read_truth(field.value);
        } else {
            throw bad_file(field.key_where, "server, token_file, ca_file, db, schema or protected",
                           in_quotes(field.key));
        }
    }
    if (entry.server.empty() == entry.db.empty()) {
        throw bad_file(from.key_where, "either server or db in context " + entry.name,
                       entry.db.empty() ? "neither" : "both");
    }
    return entry;
}

stop cannot(const std::string& what, const std::filesystem::path& path) {
    return stop{exit_code::failed, "failed",
                "cannot " + what + " " + path.string() + ": " + std::strerror(errno)};
}

}  // namespace

const named_context* context_list::find(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find_if(entries, [&](const auto& each) { return each.name == name; });
    return found == entries.end() ? nullptr : &*found;
}

const named_context& context_list::at(std::string_view name) const {
    if (const auto* const found = find(name)) {
        return *found;
    }
    std::vector<std::string> known;
    for (const auto& each : entries) {
        known.push_back(each.name);
    }
    const auto best = workerd::suggest(std::string{name}, known);
    throw stop{exit_code::not_found, "not_found", "no context " + in_quotes(name),
               best ? "did you mean '" + *best + "'?" : "qctl context list shows what there is"};
}

std::filesystem::path context_path(const environment& around) {
    const auto variable = [&](std::string_view name) {
        return around.variable(name).value_or("");
    };
    if (const auto given = variable("QCTL_CONFIG"); !given.empty()) {
        return given;
    }
    if (const auto home = variable("XDG_CONFIG_HOME"); home.starts_with('/')) {
        return std::filesystem::path{home} / "qctl/config.yaml";
    }
    const auto home = variable("HOME");
    return home.starts_with('/') ? std::filesystem::path{home} / ".config/qctl/config.yaml"
                                 : std::filesystem::path{};
}

context_list parse_contexts(std::string_view text, const std::string& path) {
    std::vector<workerd::config_fault> faults;
    const auto root = workerd::parse_yaml(text, path, faults);
    if (!faults.empty()) {
        throw usage(workerd::to_text(faults.front()), "repair or remove " + path);
    }
    context_list list;
    if (root.form == yaml_node::shape::nothing) {
        return list;
    }
    demand_shape(root, yaml_node::shape::mapping, "current and contexts");
    for (const auto& entry : root.entries) {
        if (entry.key == "current") {
            list.current = entry.value.text;
        } else if (entry.key == "contexts") {
            if (entry.value.form == yaml_node::shape::nothing) {
                continue;
            }
            demand_shape(entry.value, yaml_node::shape::mapping, "contexts by name");
            for (const auto& each : entry.value.entries) {
                list.entries.push_back(read_entry(each));
            }
        } else {
            throw bad_file(entry.key_where, "current or contexts", in_quotes(entry.key));
        }
    }
    return list;
}

context_list read_contexts(const std::filesystem::path& path) {
    struct stat about {};
    if (path.empty() || ::stat(path.c_str(), &about) != 0) {
        if (path.empty() || errno == ENOENT || errno == ENOTDIR) {
            return {};
        }
        throw cannot("read", path);
    }
    if (!S_ISREG(about.st_mode) || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw usage(path.string() + ": expected a file only its owner may read and write",
                    "chmod 600 " + path.string());
    }
    std::ifstream file{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file) {
        throw cannot("read", path);
    }
    return parse_contexts(text, path.string());
}

std::string contexts_text(const context_list& of) {
    // A JSON text in quotes is one of YAML, whatever is in it.
    std::string text = "# Contexts of qctl; see: qctl help contexts\n";
    if (!of.current.empty()) {
        text += "current: " + json_quoted(of.current) + '\n';
    }
    text += "contexts:\n";
    for (const auto& each : of.entries) {
        text += "  " + json_quoted(each.name) + ":\n";
        for (const auto& field : fields) {
            if (const auto& value = each.*(field.member); !value.empty()) {
                text += "    " + std::string{field.key} + ": " + json_quoted(value) + '\n';
            }
        }
        text += each.is_protected ? "    protected: true\n" : "";
    }
    return text;
}

void write_contexts(const std::filesystem::path& path, const context_list& of) {
    if (path.empty()) {
        throw usage("contexts: expected HOME, XDG_CONFIG_HOME or QCTL_CONFIG to be set, got none");
    }
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    constexpr mode_t owner_only = S_IRUSR | S_IWUSR;
    std::string fresh = path.string() + ".XXXXXX";
    const descriptor file{::mkstemp(fresh.data())};
    const auto text = contexts_text(of);
    const bool written =
        file.get() >= 0 && ::fchmod(file.get(), owner_only) == 0 &&
        ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file.get()) == 0 && ::rename(fresh.c_str(), path.c_str()) == 0;
    if (!written) {
        auto why = cannot("write", path);
        if (file.get() >= 0) {
            ::unlink(fresh.c_str());
        }
        throw why;
    }
}

void demand_context_name(std::string_view name) {
    const bool fits =
        !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '.' || c == '-';
        });
    if (!fits) {
        throw usage("context: expected a name of 1 to 64 characters a-z A-Z 0-9 _ . -, got " +
                    in_quotes(name));
    }
}

}  // namespace qctl
