#include "help.hpp"

#include "exit_code.hpp"

#include <libqueue/version.hpp>

#include <algorithm>

namespace qctl {

namespace {

constexpr std::size_t line_width = 80;

// Breaks a paragraph at spaces.
std::string wrapped(std::string_view text, std::size_t indent) {
    const std::string margin(indent, ' ');
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        if (column > indent && column + 1 + word.size() > line_width) {
            out += '\n';
            column = 0;
        }
        if (column == 0) {
            out += margin;
            column = indent;
        } else {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string paragraphs(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find("\n\n"), text.size());
        out += (out.empty() ? "" : "\n\n") + wrapped(text.substr(0, end), 0);
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return out;
}

// A heading and its explanation side by side, or below each other when the heading is long.
std::string entry(const std::string& heading, std::string_view text, std::size_t column) {
    const auto explained = wrapped(text, column);
    if (heading.size() + 2 > column) {
        return heading + '\n' + explained + '\n';
    }
    return heading + explained.substr(heading.size()) + '\n';
}

std::string flag_lines(std::span<const flag> flags) {
    constexpr std::size_t column = 28;
    std::string text;
    for (const auto& each : flags) {
        text += entry(flag_heading(each), each.doc, column);
    }
    return text;
}

std::string command_lines(std::string_view group, bool all) {
    constexpr std::size_t column = 22;
    std::string text;
    for (const auto& each : commands()) {
        const bool is_group_itself = each.group.empty() && each.name == group;
        if (all || each.group == group || is_group_itself) {
            text += entry("  " + command_title(each), each.summary, column);
        }
    }
    return text;
}

std::string example_lines(std::span<const std::string_view> examples) {
    std::string text;
    for (const auto& each : examples) {
        text += "  " + std::string{each} + '\n';
    }
    return text;
}

std::string head() {
    return "qctl " + std::string{libqueue::version} +
           " - enqueue jobs, look at them and run the queue, on PostgreSQL\n\n";
}

}  // namespace

std::string command_title(const command& leaf) {
    return leaf.group.empty() ? std::string{leaf.name}
                              : std::string{leaf.group} + " " + std::string{leaf.name};
}

std::string usage_line(const command& leaf) {
    std::string line = "qctl " + command_title(leaf);
    for (const auto& each : leaf.arguments) {
        const std::string name{each.name};
        switch (each.count) {
            case arity::one:
                line += ' ' + name;
                break;
            case arity::optional:
                line += " [" + name + "]";
                break;
            case arity::at_least_one:
                line += ' ' + name + "...";
                break;
            case arity::any:
                line += " [" + name + "...]";
                break;
        }
    }
    return line + (leaf.flags.empty() ? "" : " [FLAGS]");
}

std::string flag_heading(const flag& of) {
    std::string text = of.letter == '\0' ? "      --" : std::string{"  -"} + of.letter + ", --";
    text += of.name;
    if (of.type == value_type::optional_duration) {
        text += "[=" + std::string{of.metavar} + "]";
    } else if (of.type != value_type::none) {
        text += ' ' + std::string{of.metavar};
    }
    return text;
}

std::string_view danger_text(danger risk) noexcept {
    switch (risk) {
        case danger::none:
            return "";
        case danger::mild:
            return "Changes something; asks nothing.";
        case danger::moderate:
            return "Asks before it acts (y/N); --yes answers.";
        case danger::severe:
            return "Asks for a name to be typed; --confirm answers, --yes does not.";
    }
    return "";
}

std::string short_help() {
    return head() + "Usage: qctl COMMAND [ARGUMENTS] [FLAGS]\n\nExamples:\n" +
           "  qctl enqueue email.send '{\"to\":\"ann@example.com\"}'\n" +
           "  qctl jobs list --state dead --since 1h\n\n" + "qctl help lists everything.\n";
}

std::string general_help() {
    std::string text = head() + "Usage: qctl COMMAND [ARGUMENTS] [FLAGS]\n\nCommands:\n";
    text += command_lines("", true);
    text += "\nFlags of every command:\n" + flag_lines(global_flags());
    text += "\nTopics (qctl help TOPIC):\n";
    for (const auto& each : topics()) {
        text += entry("  " + std::string{each.name}, each.summary, 22);
    }
    return text;
}

std::string group_help(std::string_view group) {
    std::string text;
    for (const auto& each : command_groups()) {
        if (each.name == group) {
            text = std::string{each.summary} + "\n\nUsage: qctl " + std::string{group} +
                   " VERB [ARGUMENTS] [FLAGS]\n\nVerbs:\n";
        }
    }
    text += command_lines(group, false);
    for (const auto& each : command_groups()) {
        if (each.name.starts_with(std::string{group} + " ")) {
            text += command_lines(each.name, false);
        }
    }
    return text;
}

std::string command_help(const command& leaf) {
    std::string text = std::string{leaf.summary} + "\n\nUsage: " + usage_line(leaf) + '\n';
    if (!leaf.doc.empty()) {
        text += '\n' + paragraphs(leaf.doc) + '\n';
    }
    if (leaf.risk == danger::moderate || leaf.risk == danger::severe) {
        text += '\n' + std::string{danger_text(leaf.risk)} + '\n';
    }
    if (!leaf.arguments.empty()) {
        text += "\nArguments:\n";
        for (const auto& each : leaf.arguments) {
            text += entry("  " + std::string{each.name}, each.doc, 28);
        }
    }
    if (!leaf.flags.empty()) {
        text += "\nFlags:\n" + flag_lines(leaf.flags);
    }
    text += "\nFlags of every command:\n" + flag_lines(global_flags());
    text += "\nExamples:\n" + example_lines(leaf.examples);
    return text;
}

std::string exit_code_lines() {
    std::string text;
    for (const auto& each : exit_code_meanings) {
        const auto figure = std::to_string(static_cast<int>(each.code));
        text +=
            std::string(5 - figure.size(), ' ') + figure + "  " + std::string{each.meaning} + '\n';
    }
    return text;
}

}  // namespace qctl
