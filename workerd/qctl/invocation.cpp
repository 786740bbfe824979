#include "invocation.hpp"

#include "config/suggest.hpp"
#include "help.hpp"
#include "printable.hpp"
#include "stop.hpp"
#include "values.hpp"

#include <cxxopts.hpp>

#include <algorithm>
#include <ranges>
#include <span>

namespace qctl {

namespace {

std::string did_you_mean(std::string_view typed, std::vector<std::string> candidates,
                         std::string otherwise) {
    if (const auto best = workerd::suggest(typed, candidates)) {
        return "did you mean '" + *best + "'?";
    }
    return otherwise;
}

const flag* find_flag(std::span<const flag> among, std::string_view name) noexcept {
    const auto found = std::ranges::find_if(among, [&](const flag& each) {
        return each.name == name || (name.size() == 1 && each.letter == name[0]);
    });
    return found == among.end() ? nullptr : &*found;
}

bool takes_next(const flag& of) noexcept {
    return of.type != value_type::none && of.type != value_type::optional_duration;
}

void demand_utf8(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (const auto at = invalid_utf8_at(words[i])) {
            throw usage("argument " + std::to_string(i + 1) + ": expected UTF-8, got " +
                            in_quotes(words[i]),
                        "the byte at position " + std::to_string(*at + 1) +
                            " is not UTF-8; pass other bytes in a file");
        }
    }
}

// Finds the words of the command and takes them out; what is left is for the leaf's parser.
class command_finder {
   public:
    explicit command_finder(std::vector<std::string> words) : rest{std::move(words)} {}

    // False when there is no command at all.
    bool find() {
        const auto first = next_word();
        if (!first) {
            return false;
        }
        if (!is_group(*first)) {
            leaf = find_command("", *first);
            if (leaf == nullptr) {
                throw usage("unknown command " + in_quotes(*first),
                            did_you_mean(*first, top_words(), "qctl help lists the commands"));
            }
            return true;
        }
        for (const auto& each : command_groups()) {
            group = each.name == *first ? each.name : group;
        }
        auto second = next_word();
        if (second && is_group(std::string{group} + " " + *second)) {
            const auto whole = std::string{group} + " " + *second;
            for (const auto& each : command_groups()) {
                group = each.name == whole ? each.name : group;
            }
            second = next_word();
        }
        if (!second) {
            // `stats` is a command by itself, too.
            leaf = find_command("", group);
            return true;
        }
        leaf = find_command(group, *second);
        if (leaf == nullptr) {
            const auto typed = std::string{group} + " " + *second;
            throw usage("unknown command " + in_quotes(typed),
                        did_you_mean(typed, verbs_of(group),
                                     "qctl " + std::string{group} + " --help lists the verbs"));
        }
        return true;
    }

    const command* leaf{nullptr};
    std::string_view group;
    std::vector<std::string> rest;

   private:
    // The next that is no flag and no value of a global flag.
    std::optional<std::string> next_word() {
        for (; at_ < rest.size() && rest[at_] != "--"; ++at_) {
            const std::string& word = rest[at_];
            if (word.size() < 2 || word[0] != '-') {
                auto found = word;
                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at_));
                return found;
            }
            skip_value(word);
        }
        return std::nullopt;
    }

    void skip_value(const std::string& word) {
        const bool is_long = word.starts_with("--");
        if (is_long && word.find('=') != std::string::npos) {
            return;
        }
        // Of a group of letters, -qo, the last may take the next word; -ojson holds its own.
        for (std::size_t i = is_long ? 2 : 1; i < word.size(); ++i) {
            const auto name = is_long ? word.substr(2) : word.substr(i, 1);
            const flag* const found = find_flag(global_flags(), name);
            if (found == nullptr) {
                throw usage("unknown flag " + in_quotes(is_long ? word : "-" + name) +
                                " before the command",
                            "only global flags may stand there; qctl help lists them");
            }
            if (takes_next(*found)) {
                at_ += is_long || i + 1 == word.size() ? 1 : 0;
                return;
            }
            if (is_long) {
                return;
            }
        }
    }

    static std::vector<std::string> top_words() {
        std::vector<std::string> words;
        for (const auto& each : command_groups()) {
            words.emplace_back(each.name);
        }
        for (const auto& each : commands()) {
            if (each.group.empty()) {
                words.emplace_back(each.name);
            }
        }
        return words;
    }

    static std::vector<std::string> verbs_of(std::string_view group) {
        std::vector<std::string> words;
        for (const auto& each : commands()) {
            if (each.group == group || each.group.starts_with(std::string{group} + " ")) {
                words.push_back(command_title(each));
            }
        }
        return words;
    }

    std::size_t at_{0};
};

void add_flags(cxxopts::Options& options, std::span<const flag> flags) {
    auto add = options.add_options();
    for (const auto& each : flags) {
        std::string names = each.letter == '\0' ? "" : std::string{each.letter} + ",";
        names += each.name;
        if (each.type == value_type::none) {
            add(names, "", cxxopts::value<bool>());
        } else if (each.type == value_type::optional_duration) {
            add(names, "", cxxopts::value<std::string>()->implicit_value(""));
        } else {
            add(names, "", cxxopts::value<std::string>());
        }
    }
}

// cxxopts says that something is wrong but not always with what; this looks again.
stop explain_flags(const command& leaf, const std::vector<std::string>& words,
                   const std::string& said) {
    const std::string hint = "qctl " + command_title(leaf) + " --help lists the flags";
    for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
        const auto& word = words[i];
        if (word.size() < 2 || word[0] != '-') {
            continue;
        }
        const bool is_long = word.starts_with("--");
        const auto name = is_long ? word.substr(2, word.find('=') - 2) : word.substr(1, 1);
        const flag* found = find_flag(leaf.flags, name);
        found = found == nullptr ? find_flag(global_flags(), name) : found;
        if (found == nullptr) {
            std::vector<std::string> known;
            for (const auto& each : leaf.flags) {
                known.push_back("--" + std::string{each.name});
            }
            for (const auto& each : global_flags()) {
                known.push_back("--" + std::string{each.name});
            }
            const auto typed = word.substr(0, word.find('='));
            return usage(command_title(leaf) + ": unknown flag " + in_quotes(typed),
                         did_you_mean(typed, std::move(known), hint));
        }
        const bool alone = word.find('=') == std::string::npos && (is_long || word.size() == 2);
        if (takes_next(*found) && alone) {
            if (++i == words.size()) {
                return usage(command_title(leaf) + ": --" + std::string{found->name} +
                                 ": expected a value (" + std::string{found->metavar} +
                                 "), got nothing",
                             hint);
            }
        }
    }
    return usage(command_title(leaf) + ": " + printable(said), hint);
}

void read_flags(invocation& into, const std::vector<std::string>& words) {
    const command& leaf = *into.leaf;
    cxxopts::Options options{"qctl"};
    add_flags(options, leaf.flags);
    add_flags(options, global_flags());
    std::vector<const char*> argv{"qctl"};
    for (const auto& word : words) {
        argv.push_back(word.c_str());
    }
    try {
        const auto parsed = options.parse(static_cast<int>(argv.size()), argv.data());
        for (const auto& given : parsed.arguments()) {
            const flag* known = find_flag(leaf.flags, given.key());
            known = known == nullptr ? find_flag(global_flags(), given.key()) : known;
            const bool switched_off =
                known->type == value_type::none && !parsed[given.key()].as<bool>();
            if (!switched_off) {
                into.flags.emplace_back(given.key(), given.value());
            }
        }
        into.arguments = parsed.unmatched();
    } catch (const cxxopts::exceptions::exception& error) {
        throw explain_flags(leaf, words, error.what());
    }
}

void check_flags(const invocation& call) {
    for (std::size_t i = 0; i < call.flags.size(); ++i) {
        const auto& [name, value] = call.flags[i];
        const flag* known = find_flag(call.leaf->flags, name);
        known = known == nullptr ? find_flag(global_flags(), name) : known;
        check_value(*known, value);
        const bool again =
            std::any_of(call.flags.begin(), call.flags.begin() + static_cast<std::ptrdiff_t>(i),
                        [&](const auto& earlier) { return earlier.first == name; });
        if (again && !known->repeated && known->type != value_type::none) {
            throw usage("--" + name + ": expected at most once, got it twice");
        }
    }
}

void check_arguments(const invocation& call) {
    const command& leaf = *call.leaf;
    const std::string hint = "qctl " + command_title(leaf) + " --help";
    std::size_t at = 0;
    for (const auto& wanted : leaf.arguments) {
        const bool needed = wanted.count == arity::one || wanted.count == arity::at_least_one;
        const bool many = wanted.count == arity::any || wanted.count == arity::at_least_one;
        if (needed && at == call.arguments.size()) {
            throw usage(
                command_title(leaf) + ": expected " + std::string{wanted.name} + ", got nothing",
                hint);
        }
        const std::size_t end = many ? call.arguments.size() : at + 1;
        for (; at < end && at < call.arguments.size(); ++at) {
            if (wanted.type == value_type::integer) {
                static_cast<void>(read_id(call.arguments[at], wanted.name));
            }
        }
    }
    if (at < call.arguments.size()) {
        throw usage(command_title(leaf) + ": unexpected argument " + in_quotes(call.arguments[at]),
                    hint);
    }
}

}  // namespace

bool invocation::has(std::string_view name) const noexcept {
    return std::ranges::any_of(flags, [&](const auto& given) { return given.first == name; });
}

std::optional<std::string> invocation::text(std::string_view name) const {
    for (const auto& given : std::views::reverse(flags)) {
        if (given.first == name) {
            return given.second;
        }
    }
    return std::nullopt;
}

std::vector<std::string> invocation::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& given : flags) {
        if (given.first == name) {
            values.push_back(given.second);
        }
    }
    return values;
}

invocation parse_command_line(const std::vector<std::string>& arguments) {
    demand_utf8(arguments);
    const auto end_of_flags = std::ranges::find(arguments, "--");
    const bool help_wanted = std::any_of(arguments.begin(), end_of_flags, [](const auto& word) {
        return word == "-h" || word == "--help";
    });
    invocation call;
    if (arguments.size() == 1 && (arguments[0] == "--version" || arguments[0] == "-V")) {
        call.leaf = &find_command(verb::version);
        return call;
    }
    command_finder finder{arguments};
    const bool found = finder.find();
    call.leaf = finder.leaf;
    call.group = finder.group;
    call.help_wanted = help_wanted || !found;
    if (call.help_wanted) {
        return call;
    }
    if (call.leaf == nullptr) {
        throw usage(std::string{call.group} + ": expected a verb, got nothing",
                    "qctl " + std::string{call.group} + " --help lists the verbs");
    }
    read_flags(call, finder.rest);
    check_flags(call);
    check_arguments(call);
    return call;
}

bool wants_json(const std::vector<std::string>& arguments) noexcept {
    const auto is_json = [](std::string_view text) {
        return text == "json" || text == "jsonl";
    };
    for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
        const std::string_view word = arguments[i];
        const bool alone = word == "-o" || word == "--output";
        if ((alone && i + 1 < arguments.size() && is_json(arguments[i + 1])) || word == "-ojson" ||
            word == "-ojsonl" || word == "--output=json" || word == "--output=jsonl") {
            return true;
        }
    }
    return false;
}

}  // namespace qctl
