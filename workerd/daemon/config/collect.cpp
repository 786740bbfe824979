#include "config/collect.hpp"

#include "config/suggest.hpp"
#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace workerd {

namespace {

std::string section_of(std::string_view full_path, const option& row, const std::string& name) {
    const auto star = row.path.find('*');
    if (star != std::string_view::npos)
        return std::string{row.path.substr(0, star)} + name;
    return std::string{full_path.substr(0, full_path.rfind('.'))};
}

// A section that is only there when somebody writes it: one per name, one of a processor, or one
// with required options.
bool is_optional_section(std::string_view row_section) {
    if (row_section.find('*') != std::string_view::npos || row_section.starts_with("processors."))
        return true;
    const auto rows = all_options();
    return std::any_of(rows.begin(), rows.end(), [&](const option& row) {
        return row.required && row.path.substr(0, row.path.rfind('.')) == row_section;
    });
}

std::string normalised(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        if (letter == '.' || letter == '-')
            out += '_';
        else if (letter >= 'A' && letter <= 'Z')
            out += static_cast<char>(letter - 'A' + 'a');
        else
            out += letter;
    }
    return out;
}

std::string unknown_option_hint(const std::string& path) {
    std::vector<std::string> paths;
    for (const auto& row : all_options())
        paths.emplace_back(row.path);
    const auto close = suggest(path, paths);
    return close ? fmt::format("did you mean {}?", *close)
                 : std::string{"docs/configuration.md lists all options"};
}

// A queue or kind keeps the spelling of the file: EMAIL_SEND in a variable means `email.send`
// there.
std::string known_name(std::string_view prefix, const std::string& typed,
                       const collected_settings& in) {
    for (const auto& [section, where] : in.sections) {
        if (!section.starts_with(prefix))
            continue;
        const auto name = section.substr(prefix.size());
        if (normalised(name) == normalised(typed))
            return name;
    }
    return typed;
}

void collect_variable(std::string_view key, const std::string& value, const std::string& variable,
                      collected_settings& into) {
    std::vector<std::string> segments;
    while (true) {
        const auto gap = key.find("__");
        segments.push_back(normalised(key.substr(0, gap)));
        if (gap == std::string_view::npos)
            break;
        key.remove_prefix(gap + 2);
    }

    std::string path;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const bool is_name = i == 1 && (segments[0] == "queues" || segments[0] == "kinds" ||
                                        segments[0] == "limits");
        const auto prefix = segments[0] + ".";
        path += i == 0 ? "" : ".";
        path += is_name ? known_name(prefix, segments[i], into) : segments[i];
    }
    collect_text(path, value, "environment " + variable, into);
}

}  // namespace

std::pair<const option*, std::string> match_option(std::string_view path) {
    for (const auto& row : all_options()) {
        const auto star = row.path.find('*');
        if (star == std::string_view::npos) {
            if (row.path == path)
                return {&row, {}};
            continue;
        }
        const auto before = row.path.substr(0, star);
        const auto after = row.path.substr(star + 1);
        if (path.size() > before.size() + after.size() && path.starts_with(before) &&
            path.ends_with(after)) {
            const auto length = path.size() - before.size() - after.size();
            return {&row, std::string{path.substr(before.size(), length)}};
        }
    }
    return {nullptr, {}};
}

void collect_text(std::string_view path, std::string_view text, const std::string& source,
                  collected_settings& into) {
    const origin where{source, 0, 0};
    const std::string full_path{path};
    const auto [row, name] = match_option(path);
    if (row == nullptr) {
        into.faults.push_back({severity::fault, where, full_path, "a known option",
                               as_written(full_path), unknown_option_hint(full_path)});
        return;
    }
    if (row->path.find('*') != std::string_view::npos && !is_job_name(name)) {
        into.faults.push_back({severity::fault, where, full_path,
                               "a name of 1 to 64 characters a-z 0-9 _ . -", as_written(name),
                               "use lower-case letters, digits, _ . and -"});
        return;
    }
    const auto checked = check_value(*row, text, false);
    if (const auto* complaint = std::get_if<value_complaint>(&checked)) {
        into.faults.push_back({severity::fault, where, full_path, expectation(*row), complaint->got,
                               complaint->hint});
        return;
    }
    into.sections.try_emplace(section_of(path, *row, name), where);
    into.settings[full_path] = setting{row, name, where, std::get<option_value>(checked)};
}

void collect_environment(const std::vector<std::pair<std::string, std::string>>& variables,
                         collected_settings& into) {
    constexpr std::string_view prefix = "WORKERD_";
    for (const auto& [name, value] : variables) {
        if (!name.starts_with(prefix))
            continue;
        const auto key = std::string_view{name}.substr(prefix.size());
        if (key.find("__") != std::string_view::npos) {
            collect_variable(key, value, name, into);
            continue;
        }
        for (const auto& row : all_options()) {
            if (normalised(row.path) != normalised(key) || key.find('_') == std::string_view::npos)
                continue;
            auto meant = std::string{prefix} + std::string{key};
            meant.replace(meant.find('_', prefix.size()), 1, "__");
            into.faults.push_back({severity::fault,
                                   {"environment " + name, 0, 0},
                                   std::string{row.path},
                                   "two underscores between section and option",
                                   "one",
                                   fmt::format("did you mean {}?", meant)});
        }
    }
}

void collect_defaults(collected_settings& into) {
    for (const auto& row : all_options()) {
        const auto star = row.path.find('*');
        const auto row_section = star == std::string_view::npos
                                     ? row.path.substr(0, row.path.rfind('.'))
                                     : row.path.substr(0, star + 1);
        std::vector<std::pair<std::string, origin>> present;
        if (!is_optional_section(row_section))
            present.emplace_back("", origin{});
        else if (star == std::string_view::npos && into.sections.contains(std::string{row_section}))
            present.emplace_back("", into.sections.at(std::string{row_section}));
        else if (star != std::string_view::npos)
            for (const auto& [section, where] : into.sections)
                if (section.starts_with(row.path.substr(0, star)))
                    present.emplace_back(section.substr(star), where);

        for (const auto& [name, where] : present) {
            std::string path{row.path};
            if (star != std::string_view::npos)
                path.replace(star, 1, name);
            if (into.settings.contains(path))
                continue;
            if (row.required)
                into.faults.push_back(
                    {severity::fault, where, path, expectation(row), "nothing",
                     fmt::format("add `{}: {}`", split_path(row.path).back(), row.sample)});
            if (row.standard.empty())
                continue;
            const auto checked = check_value(row, row.standard, false);
            into.settings[path] =
                setting{&row, name, {"default", 0, 0}, std::get<option_value>(checked)};
        }
    }
}

}  // namespace workerd
