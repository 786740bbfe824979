#include "config/collect.hpp"
#include "config/suggest.hpp"
#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace workerd {

namespace {

using path_segments = std::vector<std::string_view>;

// Walks the tree beside the option table. `pattern` is the place in the table ("queues.*"), `path`
// the place in the file ("queues.mail").
class document_walk {
   public:
    explicit document_walk(collected_settings& into) : into_{into} {}

    void section(const yaml_node& node, const std::string& pattern, const std::string& path,
                 const std::string& name) {
        // Below a chosen name only the name itself counts: `kinds.a.retry` is no kind "a.retry".
        const auto star = pattern.find('*');
        if (!path.empty() && (star == std::string::npos || star + 1 == pattern.size()))
            into_.sections.insert_or_assign(path, node.where);
        if (node.form == yaml_node::shape::nothing)
            return;
        if (node.form != yaml_node::shape::mapping) {
            fault(node.where, path, "a mapping", describe(node), section_hint(pattern));
            return;
        }
        const auto names = child_names(pattern);
        for (const auto& entry : node.entries)
            child(entry, names, pattern, path, name);
    }

   private:
    void child(const yaml_node::entry& entry, const std::vector<std::string>& names,
               const std::string& pattern, const std::string& path, const std::string& name) {
        const auto join = [](const std::string& left, const std::string& right) {
            return left.empty() ? right : left + "." + right;
        };
        const auto child_path = join(path, entry.key);
        const bool is_named = names.size() == 1 && names.front() == "*";
        if (is_named && !is_job_name(entry.key)) {
            fault(entry.key_where, child_path, "a name of 1 to 64 characters a-z 0-9 _ . -",
                  as_written(entry.key), "use lower-case letters, digits, _ . and -");
            return;
        }
        if (!is_named && std::find(names.begin(), names.end(), entry.key) == names.end()) {
            fault(entry.key_where, child_path,
                  path.empty() ? "a section of the configuration" : "an option of " + path,
                  as_written(entry.key), unknown_key_hint(entry.key, names));
            return;
        }
        const auto child_pattern = join(pattern, is_named ? "*" : entry.key);
        const auto& child_name = is_named ? entry.key : name;
        if (entry.value.was_refused)
            return;
        const auto* row = row_at(child_pattern);
        if (row != nullptr)
            leaf(entry.value, *row, child_path, child_name);
        else
            section(entry.value, child_pattern, child_path, child_name);
    }

    void leaf(const yaml_node& node, const option& row, const std::string& path,
              const std::string& name) {
        const auto text = leaf_text(node, row, path);
        if (!text)
            return;
        const auto checked = check_value(row, *text, true);
        if (const auto* complaint = std::get_if<value_complaint>(&checked)) {
            fault(node.where, path, expectation(row), complaint->got, complaint->hint);
            return;
        }
        into_.settings[path] = setting{&row, name, node.where, std::get<option_value>(checked)};
    }

    std::optional<std::string> leaf_text(const yaml_node& node, const option& row,
                                         const std::string& path) {
        if (node.form == yaml_node::shape::sequence && row.type == option_type::text_list)
            return list_text(node, row, path);
        if (node.form == yaml_node::shape::nothing) {
            fault(node.where, path, expectation(row), "nothing",
                  "give it a value, or remove the key to use the default");
            return std::nullopt;
        }
        if (node.form != yaml_node::shape::scalar || row.type == option_type::text_list) {
            fault(node.where, path, expectation(row), describe(node),
                  row.type == option_type::text_list ? "write [one, two]" : "write one value");
            return std::nullopt;
        }
        const bool is_plain = row.type == option_type::boolean || row.type == option_type::integer;
        if (is_plain && node.was_quoted) {
            fault(node.where, path, expectation(row), "the text " + describe(node),
                  "remove the quotes");
            return std::nullopt;
        }
        return node.text;
    }

    std::optional<std::string> list_text(const yaml_node& node, const option& row,
                                         const std::string& path) {
        std::string joined;
        for (const auto& item : node.items) {
            const bool fits = item.form == yaml_node::shape::scalar && !item.text.empty() &&
                              item.text.find(',') == std::string::npos;
            if (!fits) {
                fault(item.where, path, expectation(row), describe(item) + " in the list",
                      "write plain words without commas: [one, two]");
                return std::nullopt;
            }
            joined += joined.empty() ? "" : ",";
            joined += item.text;
        }
        return joined;
    }

    [[nodiscard]] static const option* row_at(const std::string& pattern) {
        for (const auto& row : all_options())
            if (row.path == pattern)
                return &row;
        return nullptr;
    }

    [[nodiscard]] static std::vector<std::string> child_names(const std::string& pattern) {
        const auto prefix = pattern.empty() ? pattern : pattern + ".";
        std::vector<std::string> names;
        for (const auto& row : all_options()) {
            if (!row.path.starts_with(prefix))
                continue;
            std::string name{split_path(row.path.substr(prefix.size())).front()};
            if (std::find(names.begin(), names.end(), name) == names.end())
                names.push_back(std::move(name));
        }
        return names;
    }

    [[nodiscard]] static std::string unknown_key_hint(const std::string& key,
                                                      const std::vector<std::string>& names) {
        const std::set<std::string> known{names.begin(), names.end()};
        if (known.contains(key + "_file"))
            return fmt::format("secrets are read from files only: use {}_file", key);
        if (const auto close = suggest(key, names))
            return fmt::format("did you mean {}?", *close);
        std::string all;
        for (const auto& name : names)
            all += (all.empty() ? "" : ", ") + name;
        return "known here: " + all;
    }

    [[nodiscard]] static std::string section_hint(const std::string& pattern) {
        if (pattern.empty())
            return "start with `database:` and `queues:`";
        const auto names = child_names(pattern);
        return fmt::format("write its options indented below, such as {}: …",
                           names.front() == "*" ? "default" : names.front());
    }

    void fault(const origin& where, const std::string& path, std::string expected, std::string got,
               std::string hint) {
        into_.faults.push_back(
            {severity::fault, where, path, std::move(expected), std::move(got), std::move(hint)});
    }

    collected_settings& into_;
};

}  // namespace

void collect_document(const yaml_node& root, collected_settings& into) {
    document_walk{into}.section(root, "", "", "");
}

}  // namespace workerd
