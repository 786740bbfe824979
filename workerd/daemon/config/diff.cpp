#include "config/diff.hpp"

#include <set>

namespace workerd {

namespace {

std::string shown(const setting* entry) {
    if (entry == nullptr)
        return "unset";
    const bool is_secret =
        entry->row->type == option_type::dsn || entry->row->type == option_type::secret_file;
    return is_secret ? "***" : entry->value.text;
}

const setting* find(const settings_map& settings, const std::string& path) {
    const auto found = settings.find(path);
    return found == settings.end() ? nullptr : &found->second;
}

}  // namespace

bool is_jwt_setting(std::string_view path) {
    return path.starts_with("http.auth.jwt.");
}

std::vector<setting_change> diff_settings(const settings_map& before, const settings_map& after) {
    std::set<std::string> paths;
    for (const auto& [path, entry] : before)
        paths.insert(path);
    for (const auto& [path, entry] : after)
        paths.insert(path);

    std::vector<setting_change> changes;
    for (const auto& path : paths) {
        const auto* old_entry = find(before, path);
        const auto* new_entry = find(after, path);
        if (old_entry != nullptr && new_entry != nullptr &&
            old_entry->value.text == new_entry->value.text)
            continue;
        const auto* row = old_entry != nullptr ? old_entry->row : new_entry->row;
        const bool is_named = row->path.find('*') != std::string_view::npos;
        const bool came_or_went = old_entry == nullptr || new_entry == nullptr;
        changes.push_back(
            {path, shown(old_entry), shown(new_entry),
             row->reloadable && (is_jwt_setting(path) || !(is_named && came_or_went))});
    }
    return changes;
}

}  // namespace workerd
