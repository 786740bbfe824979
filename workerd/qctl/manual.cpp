#include "exit_code.hpp"
#include "help.hpp"

namespace qctl {

namespace {

// Inside a table cell a bar would end the cell.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '|' ? "\\|" : std::string(1, c);
    }
    return out;
}

std::string trimmed(const std::string& text) {
    return text.substr(text.find_first_not_of(' '));
}

std::string flag_table(std::span<const flag> flags) {
    std::string text = "| flag | meaning |\n|---|---|\n";
    for (const auto& each : flags) {
        text += "| `" + cell(trimmed(flag_heading(each))) + "` | " + cell(each.doc) + " |\n";
    }
    return text;
}

std::string command_section(const command& leaf) {
    std::string text = "### qctl " + command_title(leaf) + "\n\n" + std::string{leaf.summary} +
                       ".\n\n```\n" + usage_line(leaf) + "\n```\n";
    if (!leaf.doc.empty()) {
        text += '\n' + std::string{leaf.doc} + '\n';
    }
    if (leaf.risk != danger::none) {
        text += "\n*" + std::string{danger_text(leaf.risk)} + "*\n";
    }
    if (!leaf.arguments.empty()) {
        text += "\n| argument | meaning |\n|---|---|\n";
        for (const auto& each : leaf.arguments) {
            text += "| `" + cell(each.name) + "` | " + cell(each.doc) + " |\n";
        }
    }
    if (!leaf.flags.empty()) {
        text += '\n' + flag_table(leaf.flags);
    }
    text += "\n```sh\n";
    for (const auto& each : leaf.examples) {
        text += std::string{each} + '\n';
    }
    return text + "```\n\n";
}

}  // namespace

std::string manual() {
    std::string text =
        "# qctl\n\n"
        "The command line of the queue: enqueue jobs, look at them, act on them, migrate the "
        "schema.\n\n"
        "<!-- Generated from the command table: qctl help manual > docs/qctl.md -->\n\n"
        "## Flags of every command\n\nAccepted before and after the command.\n\n" +
        flag_table(global_flags()) + "\n## Commands\n\n";
    for (const auto& each : commands()) {
        text += command_section(each);
    }
    text += "## Exit codes\n\n| code | meaning |\n|---|---|\n";
    for (const auto& each : exit_code_meanings) {
        text += "| " + std::to_string(static_cast<int>(each.code)) + " | " +
                std::string{each.meaning} + " |\n";
    }
    for (const auto& each : topics()) {
        if (!each.text.empty()) {
            text += "\n## " + std::string{each.summary} + "\n\n```\n" + std::string{each.text} +
                    "```\n";
        }
    }
    return text;
}

}  // namespace qctl
