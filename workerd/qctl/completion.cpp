#include "completion.hpp"

#include "command_table.hpp"
#include "help.hpp"
#include "values.hpp"

#include <libqueue/job.hpp>

#include <span>
#include <vector>

namespace qctl {

namespace {

// The words a flag's value may be; empty when there is no fixed set.
std::string_view values_of(const flag& of) noexcept {
    switch (of.type) {
        case value_type::format:
            return "table wide json jsonl yaml csv id";
        case value_type::when:
            return "auto always never";
        case value_type::states:
            return "scheduled ready running retrying completed cancelled dead";
        case value_type::none:
        case value_type::text:
        case value_type::integer:
        case value_type::duration:
        case value_type::optional_duration:
        case value_type::instant:
        case value_type::past:
        case value_type::rate:
        case value_type::uuid:
        case value_type::zone:
            return "";
    }
    return "";
}

// The words an argument of a command may be, apart from names in the database.
std::string arguments_of(const command& leaf) {
    if (leaf.id == verb::completion) {
        return "bash zsh fish";
    }
    std::string words;
    if (leaf.id == verb::help) {
        for (const auto& each : topics()) {
            words += (words.empty() ? "" : " ") + std::string{each.name};
        }
    }
    return words;
}

// What `qctl __complete` is asked for in place of a word; empty: nothing.
std::string_view names_for(std::string_view metavar, std::string_view group) noexcept {
    if (metavar == "QUEUE") {
        return "queues";
    }
    if (metavar == "KIND") {
        return "kinds";
    }
    if (metavar == "ZONE") {
        return "zones";
    }
    if (group == "context" && metavar == "NAME") {
        return "contexts";
    }
    if (group == "workers" && metavar == "ID") {
        return "workers";
    }
    if (group == "schedules" && metavar == "NAME") {
        return "schedules";
    }
    return group == "limits" && metavar == "NAME" ? "limits" : std::string_view{};
}

std::string_view names_for(const flag& of) noexcept {
    return of.name == "context" ? "contexts" : names_for(of.metavar, {});
}

std::string_view names_for(const command& of) noexcept {
    return of.arguments.empty() ? std::string_view{}
                                : names_for(of.arguments.front().name, of.group);
}

bool takes_next(const flag& of) noexcept {
    return of.type != value_type::none && of.type != value_type::optional_duration;
}

std::string joined(const std::vector<std::string_view>& each) {
    std::string words;
    for (const auto word : each) {
        words += (words.empty() ? "" : " ") + std::string{word};
    }
    return words;
}

std::string first_words() {
    std::vector<std::string_view> words;
    for (const auto& group : command_groups()) {
        if (group.name.find(' ') == std::string_view::npos) {
            words.push_back(group.name);
        }
    }
    for (const auto& leaf : commands()) {
        if (leaf.group.empty() && !is_group(leaf.name)) {
            words.push_back(leaf.name);
        }
    }
    return joined(words);
}

// Verbs, and the second words of groups that have two.
std::string verbs_in(std::string_view group) {
    std::vector<std::string_view> words;
    for (const auto& other : command_groups()) {
        if (other.name.starts_with(std::string{group} + " ")) {
            words.push_back(other.name.substr(group.size() + 1));
        }
    }
    for (const auto& leaf : commands()) {
        if (leaf.group == group) {
            words.push_back(leaf.name);
        }
    }
    return joined(words);
}

// In a pattern of the shell a space has to be quoted.
std::string shell_word(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == ' ' ? std::string{"\\ "} : std::string(1, c);
    }
    return out;
}

std::string long_group_patterns() {
    std::string patterns;
    for (const auto& group : command_groups()) {
        if (group.name.find(' ') != std::string_view::npos) {
            patterns += (patterns.empty() ? "" : "|") + shell_word(group.name);
        }
    }
    return patterns;
}

std::string long_names(std::span<const flag> flags) {
    std::string words;
    for (const auto& each : flags) {
        words += (words.empty() ? "--" : " --") + std::string{each.name};
    }
    return words;
}

// "--output|-o", for a case of the shell.
std::string pattern_of(const flag& of) {
    std::string pattern = "--" + std::string{of.name};
    return of.letter == '\0' ? pattern : pattern + "|-" + of.letter;
}

std::vector<flag> all_flags() {
    std::vector<flag> all{global_flags().begin(), global_flags().end()};
    for (const auto& leaf : commands()) {
        for (const auto& own : leaf.flags) {
            bool known = false;
            for (const auto& each : all) {
                known = known || each.name == own.name;
            }
            if (!known) {
                all.push_back(own);
            }
        }
    }
    return all;
}

std::string valued_patterns() {
    std::string patterns;
    for (const auto& each : all_flags()) {
        if (takes_next(each)) {
            patterns += (patterns.empty() ? "" : "|") + pattern_of(each);
        }
    }
    return patterns;
}

// Cases that set `found` to what may stand after `prev`.
std::string value_cases(const char* files) {
    std::string cases;
    for (const auto& each : all_flags()) {
        if (!takes_next(each)) {
            continue;
        }
        const auto values = values_of(each);
        if (!values.empty()) {
            cases += "        " + pattern_of(each) + ") found='" + std::string{values} + "' ;;\n";
        } else if (each.metavar == "FILE") {
            cases += "        " + pattern_of(each) + ") " + files + "; return ;;\n";
        } else if (const auto names = names_for(each); !names.empty()) {
            cases += "        " + pattern_of(each) + ") ask=" + std::string{names} + " ;;\n";
        }
    }
    return cases + "        " + valued_patterns() + ") return ;;\n";
}

// Cases over "first:second", the words of the command typed so far.
std::string command_cases() {
    std::string cases = "        :) found='" + first_words() + "' ;;\n";
    for (const auto& group : command_groups()) {
        cases +=
            "        " + shell_word(group.name) + ":) found='" + verbs_in(group.name) + "' ;;\n";
    }
    for (const auto& leaf : commands()) {
        const std::string words = leaf.group.empty()
                                      ? std::string{leaf.name} + ":*"
                                      : shell_word(leaf.group) + ":" + std::string{leaf.name};
        cases += "        " + words + ") found='" + arguments_of(leaf) + "' ask='" +
                 std::string{names_for(leaf)} + "' flags='" + long_names(leaf.flags) + "' ;;\n";
    }
    return cases;
}

// What bash and zsh share: `typed` holds the words between qctl and the cursor.
std::string shell_body(const char* files) {
    return "    local found='' flags='' first='' second='' skip='' ask='' word\n"
           "    for word in \"${typed[@]}\"; do\n"
           "        if [[ -n $skip ]]; then skip=''; continue; fi\n"
           "        case $word in\n"
           "        " +
           valued_patterns() +
           ") skip=1 ;;\n"
           "        -*) ;;\n"
           "        *) if [[ -z $first ]]; then first=$word\n"
           "           elif [[ -z $second ]]; then\n"
           "               case \"$first $word\" in\n"
           "               " +
           long_group_patterns() +
           ") first=\"$first $word\" ;;\n"
           "               *) second=$word ;;\n"
           "               esac\n"
           "           fi ;;\n"
           "        esac\n"
           "    done\n"
           "    case $prev in\n" +
           value_cases(files) +
           "    *)\n"
           "        case \"$first:$second\" in\n" +
           command_cases() +
           "        esac\n"
           "        if [[ $cur == -* ]]; then found=\"$flags " +
           long_names(global_flags()) +
           "\"; ask=''; fi ;;\n"
           "    esac\n"
           // Names out of the database; qctl gives up by itself when they take too long.
           "    if [[ -n $ask ]]; then found=\"$found $(qctl __complete \"$ask\" "
           "\"${typed[@]}\" 2>/dev/null)\"; fi\n";
}

std::string bash_script() {
    return "# bash completion for qctl; made by: qctl completion bash\n"
           "_qctl() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local -a typed=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
           "    COMPREPLY=()\n"
           "    # --flag=value comes as three words.\n"
           "    if [[ $cur == '=' ]]; then cur=''; "
           "elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n" +
           shell_body("COMPREPLY=($(compgen -f -- \"$cur\"))") +
           "    COMPREPLY=($(compgen -W \"$found\" -- \"$cur\"))\n"
           "}\n"
           "complete -F _qctl qctl\n";
}

std::string zsh_script() {
    return "#compdef qctl\n"
           "# zsh completion for qctl; made by: qctl completion zsh\n"
           "_qctl() {\n"
           "    local cur=${words[CURRENT]} prev=${words[CURRENT-1]}\n"
           "    local -a typed=(\"${(@)words[2,CURRENT-1]}\")\n"
           "    if [[ $cur == --*=* ]]; then prev=${cur%%=*}; compset -P '*='; fi\n" +
           shell_body("_files") +
           "    compadd -- ${(s: :)found}\n"
           "}\n"
           "if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then _qctl \"$@\"; "
           "else compdef _qctl qctl; fi\n";
}

std::string fish_quoted(std::string_view text) {
    std::string out{"'"};
    for (const char c : text) {
        out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    return out + "'";
}

std::string fish_names(std::string_view what) {
    return "(qctl __complete " + std::string{what} +
           " (commandline -opc)[2..-1] 2>/dev/null | string split \" \")";
}

std::string fish_flag(const flag& of, const std::string& when) {
    std::string line = "complete -c qctl" + when + " -l " + std::string{of.name};
    if (of.letter != '\0') {
        line += std::string{" -s "} + of.letter;
    }
    if (takes_next(of)) {
        line += of.metavar == "FILE" ? " -r -F" : " -x";
    }
    if (const auto names = names_for(of); !names.empty()) {
        line += " -a '" + fish_names(names) + "'";
    }
    if (const auto values = values_of(of); !values.empty()) {
        line += " -a '" + std::string{values} + "'";
    }
    return line + " -d " + fish_quoted(of.doc) + '\n';
}

std::string fish_word(const std::string& when, std::string_view word, std::string_view doc) {
    return "complete -c qctl" + when + " -a " + std::string{word} + " -d " + fish_quoted(doc) +
           '\n';
}

// Every word of a group has been typed.
std::string fish_seen(std::string_view group) {
    std::string condition;
    for (const auto& word : split(group, ' ')) {
        condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    return condition;
}

std::string fish_inside(std::string_view group) {
    return " -n '" + fish_seen(group) + "; and not __fish_seen_subcommand_from " + verbs_in(group) +
           "'";
}

std::string fish_script() {
    const std::string first = " -n __fish_use_subcommand";
    std::string text =
        "# fish completion for qctl; made by: qctl completion fish\ncomplete -c qctl -f\n";
    for (const auto& group : command_groups()) {
        const auto space = group.name.find(' ');
        text += space == std::string_view::npos
                    ? fish_word(first, group.name, group.summary)
                    : fish_word(fish_inside(group.name.substr(0, space)),
                                group.name.substr(space + 1), group.summary);
    }
    for (const auto& each : global_flags()) {
        text += fish_flag(each, "");
    }
    for (const auto& leaf : commands()) {
        const std::string name{leaf.name};
        std::string at = "__fish_seen_subcommand_from " + name;
        if (leaf.group.empty()) {
            text += is_group(name) ? "" : fish_word(first, name, leaf.summary);
        } else {
            const std::string group{leaf.group};
            text += fish_word(fish_inside(group), name, leaf.summary);
            at = fish_seen(group) + "; and " + at;
        }
        for (const auto& each : leaf.flags) {
            text += fish_flag(each, " -n '" + at + "'");
        }
        if (const auto words = arguments_of(leaf); !words.empty()) {
            text += "complete -c qctl -n '" + at + "' -a '" + words + "'\n";
        }
        if (const auto names = names_for(leaf); !names.empty()) {
            text += "complete -c qctl -n '" + at + "' -a '" + fish_names(names) + "'\n";
        }
    }
    return text;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell) {
    if (shell == "bash") {
        return bash_script();
    }
    if (shell == "zsh") {
        return zsh_script();
    }
    if (shell == "fish") {
        return fish_script();
    }
    return std::nullopt;
}

}  // namespace qctl
