#include "confirm.hpp"

#include "console.hpp"
#include "printable.hpp"
#include "stop.hpp"

#include <iostream>

namespace qctl {

namespace {

bool answered_by_flags(const settings& options, danger level, std::string_view name) {
    switch (level) {
        case danger::none:
        case danger::mild:
            return true;
        case danger::moderate:
            if (options.is_protected) {
                return options.confirm == name || options.confirm == options.context;
            }
            return options.yes || options.confirm == name;
        case danger::severe:
            return options.confirm == name;
    }
    return false;
}

std::string ask(const std::string& question) {
    write_message(question);
    std::string answer;
    std::getline(std::cin, answer);
    return answer;
}

}  // namespace

void demand_consent(const settings& options, danger level, std::string_view name) {
    if (options.dry_run || answered_by_flags(options, level, name)) {
        return;
    }
    if (level == danger::severe && options.confirm) {
        throw usage("--confirm: expected " + in_quotes(name) + ", got " +
                    in_quotes(*options.confirm));
    }
    if (options.can_ask()) {
        return;
    }
    const std::string pass =
        level == danger::severe ? "--confirm " + std::string{name} : std::string{"--yes"};
    throw usage("this needs a confirmation, and there is no terminal to ask at",
                "pass " + pass + ", or -n to see what would be done");
}

void demand_context_consent(const settings& options, const command& leaf) {
    if (!options.is_protected || options.dry_run || leaf.risk == danger::none ||
        leaf.risk == danger::severe || options.confirm == options.context) {
        return;
    }
    const std::string& name = options.context;
    if (options.confirm) {
        throw usage("--confirm: expected " + in_quotes(name) + ", got " +
                    in_quotes(*options.confirm));
    }
    if (!options.can_ask()) {
        throw stop{exit_code::refused, "protected", "the context " + name + " is protected",
                   "pass --confirm " + name + ", or -n to see what would be done"};
    }
    if (ask("The context " + name + " is protected. Type its name to go on: ") != name) {
        throw stop{exit_code::failed, "declined", "not confirmed, nothing was done"};
    }
}

void ask_consent(const settings& options, danger level, std::string_view name,
                 const std::string& action) {
    if (options.dry_run || answered_by_flags(options, level, name)) {
        return;
    }
    const std::string doing = "This will " + printable(action) + ". ";
    const bool agreed = level == danger::severe
                            ? ask(doing + "Type " + printable(name) + " to go on: ") == name
                            : [&] {
                                  const auto answer = ask(doing + "Go on? [y/N] ");
                                  return answer == "y" || answer == "Y" || answer == "yes";
                              }();
    if (!agreed) {
        throw stop{exit_code::failed, "declined", "not confirmed, nothing was done"};
    }
}

}  // namespace qctl
