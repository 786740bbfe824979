#include "commands/commands.hpp"
#include "json_members.hpp"
#include "named_contexts.hpp"
#include "zone.hpp"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

// Names out of the database, for the completion scripts: `qctl __complete queues -- WORDS...`, the
// words being what was typed so far. A shell waits for it, so it is silent, quick, or gives up.

namespace qctl {

namespace {

constexpr suseconds_t budget_us = 450'000;

void give_up(int) noexcept {
    ::_exit(0);
}

void start_clock() noexcept {
    struct sigaction action {};
    action.sa_handler = give_up;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGALRM, &action, nullptr);
    itimerval at{};
    at.it_value.tv_usec = budget_us;
    ::setitimer(ITIMER_REAL, &at, nullptr);
}

// What a shell would read as anything but one word is left out.
bool is_plain(const std::string& name) {
    return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"_.-:/"}.find(c) != std::string_view::npos;
    });
}

// Where the command being typed would go; everything else of it may be unfinished or wrong.
std::vector<std::string> place_words(const std::vector<std::string>& typed) {
    constexpr std::array<std::string_view, 5> valued{"--server", "--db", "--context", "--schema",
                                                     "--token-file"};
    std::vector<std::string> words{"queues", "list"};
    for (std::size_t i = 0; i < typed.size(); ++i) {
        const auto& word = typed[i];
        const auto name = word.substr(0, word.find('='));
        const bool known = std::ranges::find(valued, name) != valued.end();
        if (word == "--dev" || (known && word.size() > name.size())) {
            words.push_back(word);
        } else if (known && i + 1 < typed.size()) {
            words.push_back(word);
            words.push_back(typed[++i]);
        }
    }
    return words;
}

void take_column(const libqueue::report& rows, std::string_view name, std::set<std::string>& into) {
    const auto found = std::ranges::find(rows.columns, name, &libqueue::column::name);
    if (found == rows.columns.end()) {
        return;
    }
    const auto at = static_cast<std::size_t>(found - rows.columns.begin());
    for (const auto& row : rows.rows) {
        const auto cell = row[at].value_or("");
        if (const auto texts = json_texts(cell)) {
            into.insert(texts->begin(), texts->end());
        } else {
            into.insert(cell);
        }
    }
}

std::set<std::string> names_of(context& with, const std::string& what) {
    std::set<std::string> names;
    if (what == "queues") {
        take_column(with.operations().list_queues(), "queue", names);
    } else if (what == "kinds") {
        take_column(with.operations().list_workers(), "kinds", names);
        take_column(with.operations().unhandled_kinds(), "kind", names);
    } else if (what == "workers") {
        take_column(with.operations().list_workers(), "id", names);
    } else if (what == "schedules") {
        take_column(with.schedules().list({}), "name", names);
    } else if (what == "limits") {
        take_column(with.limits().list(std::nullopt).value(), "name", names);
        take_column(with.limits().list(std::nullopt).value(), "limit", names);
    }
    return names;
}

}  // namespace

exit_code run_complete(const std::vector<std::string>& words) {
    start_clock();
    const auto around = process_environment();
    std::set<std::string> names;
    try {
        const auto& what = words.at(0);
        if (what == "contexts") {
            for (const auto& each : read_contexts(context_path(around)).entries) {
                names.insert(each.name);
            }
        } else if (what == "zones") {
            const auto known = zone_names();
            names.insert(known.begin(), known.end());
        } else {
            const std::vector<std::string> typed{words.begin() + 1, words.end()};
            const auto call = parse_command_line(place_words(typed));
            const auto options = resolve_settings(call, around);
            context with{call, options};
            names = names_of(with, what);
        }
    } catch (const std::exception&) {
        // A shell has no place for a message: there is nothing to complete with.
    }
    std::string line;
    for (const auto& name : names) {
        line += is_plain(name) ? (line.empty() ? "" : " ") + name : "";
    }
    write_output(line + '\n');
    flush_output();
    return exit_code::ok;
}

}  // namespace qctl
