#include "commands/commands.hpp"
#include "completion.hpp"
#include "config/suggest.hpp"
#include "help.hpp"
#include "row_builder.hpp"

#include <libqueue/version.hpp>

namespace qctl {

exit_code run_completion(context& with) {
    const auto& shell = with.call.arguments[0];
    const auto script = completion_script(shell);
    if (!script) {
        throw usage("SHELL: expected bash, zsh or fish, got " + in_quotes(shell));
    }
    write_output(*script);
    return exit_code::ok;
}

exit_code run_version(context& with) {
    row_builder row;
    row.text("version", std::string{libqueue::version});
    with.print_result("qctl " + std::string{libqueue::version}, row.done());
    return exit_code::ok;
}

exit_code run_help(context& with) {
    const auto& words = with.call.arguments;
    if (words.empty()) {
        write_output(general_help());
        return exit_code::ok;
    }
    if (words.size() == 1) {
        if (const auto text = topic_help(words[0])) {
            write_output(*text);
            return exit_code::ok;
        }
        if (is_group(words[0])) {
            write_output(group_help(words[0]));
            return exit_code::ok;
        }
    }
    if (words.size() == 2 && is_group(words[0] + " " + words[1])) {
        write_output(group_help(words[0] + " " + words[1]));
        return exit_code::ok;
    }
    const auto* const leaf = words.size() == 1   ? find_command("", words[0])
                             : words.size() == 2 ? find_command(words[0], words[1])
                             : words.size() == 3 ? find_command(words[0] + " " + words[1], words[2])
                                                 : nullptr;
    if (leaf == nullptr) {
        std::vector<std::string> known;
        for (const auto& each : topics()) {
            known.emplace_back(each.name);
        }
        for (const auto& each : commands()) {
            known.push_back(command_title(each));
        }
        std::string typed;
        for (const auto& word : words) {
            typed += (typed.empty() ? "" : " ") + word;
        }
        const auto best = workerd::suggest(typed, known);
        throw usage("no help on " + in_quotes(typed),
                    best ? "did you mean '" + *best + "'?" : "qctl help lists commands and topics");
    }
    write_output(command_help(*leaf));
    return exit_code::ok;
}

}  // namespace qctl
