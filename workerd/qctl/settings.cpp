#include "settings.hpp"

#include "dev_database.hpp"
#include "named_contexts.hpp"
#include "stop.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace qctl {

namespace {

// An empty variable is an unset one: `QCTL_DB= qctl ...` is how people switch it off.
std::optional<std::string> set_variable(const environment& around, std::string_view name) {
    auto value = around.variable(name);
    return value && !value->empty() ? value : std::nullopt;
}

bool use_color(const invocation& call, const environment& around, bool terminal) {
    if (call.has("no-color")) {
        return false;
    }
    if (const auto when = call.text("color"); when && *when != "auto") {
        return *when == "always";
    }
    if (set_variable(around, "NO_COLOR")) {
        return false;
    }
    if (const auto forced = set_variable(around, "CLICOLOR_FORCE"); forced && *forced != "0") {
        return true;
    }
    return terminal && set_variable(around, "TERM").value_or("dumb") != "dumb";
}

bool is_migration(const invocation& call) noexcept {
    return call.leaf != nullptr && call.leaf->group == "migrate";
}

// Only one of them can be meant.
void demand_one_place(const invocation& call) {
    std::string first;
    for (const auto* const name : {"server", "db", "dev", "context"}) {
        if (!call.has(name)) {
            continue;
        }
        if (!first.empty()) {
            throw usage("--" + first + " and --" + name +
                        ": expected at most one of them, got both");
        }
        first = name;
    }
}

void use_context(const named_context& from, settings& into) {
    into.context = from.name;
    into.server = from.server;
    into.token_file = from.token_file;
    into.ca_file = from.ca_file;
    into.dsn = from.db;
    into.schema = from.schema.empty() ? into.schema : from.schema;
    into.is_protected = from.is_protected;
}

// Where libpq itself would look for a database.
bool has_libpq_variables(const environment& around) {
    for (const auto* const name : {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT"}) {
        if (set_variable(around, name)) {
            return true;
        }
    }
    return false;
}

// False when no variable names a place.
bool use_variables(const invocation& call, const environment& around, settings& into) {
    if (is_migration(call)) {
        if (auto owner = set_variable(around, "QCTL_MIGRATE_DB")) {
            into.dsn = *owner;
            return true;
        }
    } else if (auto server = set_variable(around, "QCTL_SERVER")) {
        into.server = *server;
        return true;
    }
    for (const auto* const name : {"QCTL_DB", "DATABASE_URL"}) {
        if (auto found = set_variable(around, name)) {
            into.dsn = *found;
            return true;
        }
    }
    return has_libpq_variables(around);
}

// Verbs that talk to nobody must work when the file of contexts is broken, to mend it.
bool talks_to_nobody(const invocation& call) noexcept {
    if (call.leaf == nullptr) {
        return true;
    }
    const auto id = call.leaf->id;
    return call.leaf->group == "context" || id == verb::completion || id == verb::man ||
           id == verb::version || id == verb::help;
}

void find_place(const invocation& call, const environment& around, settings& into) {
    demand_one_place(call);
    if (talks_to_nobody(call)) {
        return;
    }
    if (call.has("dev")) {
        into.dsn = dev_database(around);
    } else if (const auto server = call.text("server")) {
        into.server = *server;
    } else if (const auto dsn = call.text("db")) {
        into.dsn = *dsn;
    } else if (const auto name = call.text("context")) {
        use_context(read_contexts(context_path(around)).at(*name), into);
    } else if (!use_variables(call, around, into)) {
        const auto known = read_contexts(context_path(around));
        if (!known.current.empty()) {
            use_context(known.at(known.current), into);
        }
    }
    if (const auto token = call.text("token-file")) {
        into.token_file = *token;
    } else if (auto variable = set_variable(around, "QCTL_TOKEN_FILE");
               variable && into.token_file.empty()) {
        into.token_file = *variable;
    }
    if (auto variable = set_variable(around, "QCTL_CA_FILE"); variable && into.ca_file.empty()) {
        into.ca_file = *variable;
    }
    into.may_send_in_clear = set_variable(around, "QCTL_INSECURE").has_value();
}

// Masks what stands between `begin` and the first of `ends`, a quoted value as a whole.
void mask_value(std::string& dsn, std::size_t begin, std::string_view ends) {
    std::size_t end = dsn.find_first_of(ends, begin);
    if (begin < dsn.size() && dsn[begin] == '\'') {
        end = begin + 1;
        while (end < dsn.size() && dsn[end] != '\'') {
            end += dsn[end] == '\\' ? 2 : 1;
        }
        end = end < dsn.size() ? end + 1 : dsn.size();
    }
    dsn.replace(begin, end == std::string::npos ? end : end - begin, "***");
}

}  // namespace

environment process_environment() {
    environment around;
    around.variable = [](std::string_view name) -> std::optional<std::string> {
        const char* const value = std::getenv(std::string{name}.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>{value};
    };
    around.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
    around.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    around.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
    around.is_root = ::geteuid() == 0;
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        around.width = size.ws_col;
    }
    return around;
}

settings resolve_settings(const invocation& call, const environment& around) {
    settings result;
    if (const auto format = call.text("output")) {
        result.format = parse_output_format(*format).value_or(output_format::table);
    } else if (call.leaf != nullptr && call.leaf->id == verb::dlq_export) {
        result.format = output_format::jsonl;
    }
    if (const auto columns = call.text("columns")) {
        result.columns = split(*columns, ',');
    }
    if (const auto zone = call.text("tz")) {
        result.zone = read_zone(*zone, "--tz");
    }
    result.headers = !call.has("no-headers");
    result.quiet = call.has("quiet");
    result.verbose = call.has("verbose");
    result.color_out = use_color(call, around, around.out_is_terminal);
    result.color_err = use_color(call, around, around.err_is_terminal);
    result.in_is_terminal = around.in_is_terminal;
    result.out_is_terminal = around.out_is_terminal;
    result.err_is_terminal = around.err_is_terminal;
    result.width = around.width;
    result.no_input = call.has("no-input");
    result.yes = call.has("yes");
    result.confirm = call.text("confirm");
    result.dry_run = call.has("dry-run");
    if (const auto timeout = call.text("timeout")) {
        result.timeout = read_duration(*timeout, "--timeout");
    }
    find_place(call, around, result);
    result.schema = call.text("schema").value_or(result.schema);
    result.debug = call.has("debug");
    return result;
}

std::string masked_dsn(std::string_view dsn) {
    std::string masked{dsn};
    // user:password@ of a URI. A password may itself hold / or @, so the last @ ends it.
    const auto scheme = masked.find("://");
    if (scheme != std::string::npos) {
        const auto at = masked.rfind('@');
        const auto colon = masked.find(':', scheme + 3);
        if (at != std::string::npos && colon < at) {
            masked.replace(colon + 1, at - colon - 1, "***");
        }
    }
    constexpr std::string_view key = "password";
    for (auto found = masked.find(key); found != std::string::npos;
         found = masked.find(key, found + key.size())) {
        auto after = masked.find_first_not_of(' ', found + key.size());
        if (after == std::string::npos || masked[after] != '=') {
            continue;
        }
        after = masked.find_first_not_of(' ', after + 1);
        if (after != std::string::npos) {
            mask_value(masked, after, scheme == std::string::npos ? " " : "&");
        }
    }
    return masked;
}

}  // namespace qctl
