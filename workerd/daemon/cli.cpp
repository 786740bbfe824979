#include "cli.hpp"

#include "config/suggest.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

// A list in --set must not be taken for several --set.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <cxxopts.hpp>

namespace workerd {

namespace {

struct flag_row {
    const char* name;
    /// The option it sets; empty for the flags that are not settings.
    const char* path;
    const char* argument;
    const char* help;
};

constexpr std::array flag_rows{
    flag_row{"db", "database.dsn", "DSN", "database to serve (before DATABASE_URL and the file)"},
    flag_row{"name", "worker.name", "NAME", "what people see in lists and logs"},
    flag_row{"log-level", "log.level", "LEVEL", "trace, debug, info, warn or error"},
    flag_row{"log-format", "log.format", "FORMAT", "auto, json or text"},
    flag_row{"http-listen", "http.listen", "HOST:PORT", "where /health is served"},
    flag_row{"dev-dir", "dev.directory", "DIR", "where --dev keeps its data"},
};

cxxopts::Options known_flags() {
    cxxopts::Options flags{"workerd", "Runs the jobs of a libqueue database."};
    auto add = flags.add_options();
    add("c,config", "configuration file", cxxopts::value<std::string>(), "FILE");
    add("check-config", "report everything wrong with the configuration and exit");
    add("dev", "run on a private PostgreSQL with sinks for mail and webhooks; --dev=fresh wipes it",
        cxxopts::value<std::string>()->implicit_value("keep"), "fresh");
    for (const auto& row : flag_rows)
        add(row.name, row.help, cxxopts::value<std::string>(), row.argument);
    add("set", "any option: --set worker.lease=20s", cxxopts::value<std::vector<std::string>>(),
        "PATH=VALUE");
    add("suspects",
        "run only jobs whose last run lost its worker, one at a time, then leave; workerd starts "
        "itself like this");
    add("print-example", "print a configuration file with every option");
    add("print-reference", "print the reference of all options (Markdown)");
    add("print-openapi", "print the description of the HTTP API (OpenAPI 3.1)");
    add("version", "print the version");
    add("h,help", "print this");
    return flags;
}

std::string suggestion(std::string_view argument) {
    const auto flags = known_flags();
    std::vector<std::string> names;
    for (const auto& option : flags.group_help("").options) {
        for (const auto& name : option.l)
            names.push_back(name);
    }
    const auto equals = argument.find('=');
    auto word = argument.substr(0, equals);
    while (word.starts_with('-'))
        word.remove_prefix(1);
    const auto close = suggest(word, names);
    return close ? fmt::format("did you mean --{}?", *close) : "workerd --help lists the flags";
}

action action_of(const cxxopts::ParseResult& given) {
    if (given.count("help") > 0)
        return action::print_help;
    if (given.count("version") > 0)
        return action::print_version;
    if (given.count("print-reference") > 0)
        return action::print_reference;
    if (given.count("print-example") > 0)
        return action::print_example;
    if (given.count("print-openapi") > 0)
        return action::print_openapi;
    return given.count("check-config") > 0 ? action::check_config : action::run;
}

void add_settings(const cxxopts::ParseResult& given, command_line& line) {
    for (const auto& row : flag_rows) {
        if (given.count(row.name) > 0)
            line.sources.flags.push_back(
                {row.path, given[row.name].as<std::string>(), fmt::format("--{}", row.name)});
    }
    if (given.count("set") == 0)
        return;
    for (const auto& text : given["set"].as<std::vector<std::string>>()) {
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            throw usage_error{
                fmt::format("--set: expected PATH=VALUE, got {}; hint: --set log.level=debug",
                            as_written(text))};
        line.sources.flags.push_back(
            {text.substr(0, equals), text.substr(equals + 1), "--set " + text.substr(0, equals)});
    }
}

}  // namespace

command_line parse_command_line(int argc, const char* const* argv) {
    auto flags = known_flags();
    command_line line;
    line.sources.environment = process_environment();
    try {
        const auto given = flags.parse(argc, argv);
        if (!given.unmatched().empty())
            throw usage_error{
                fmt::format("expected flags only, got {}; hint: workerd --config FILE",
                            as_written(given.unmatched().front()))};
        line.what = action_of(given);
        line.arguments.assign(argv + 1, argv + argc);
        line.suspects = given.count("suspects") > 0;
        if (given.count("dev") > 0) {
            const auto mode = given["dev"].as<std::string>();
            if (mode != "keep" && mode != "fresh")
                throw usage_error{
                    fmt::format("--dev: expected --dev or --dev=fresh, got {}", as_written(mode))};
            line.sources.dev = true;
            line.dev_fresh = mode == "fresh";
        }
        if (given.count("config") > 0)
            line.sources.file = given["config"].as<std::string>();
        add_settings(given, line);
    } catch (const cxxopts::exceptions::exception& error) {
        std::string hint = "workerd --help lists the flags";
        for (int i = 1; i < argc; ++i) {
            const std::string_view argument{argv[i]};
            auto name = argument.substr(0, argument.find('='));
            while (name.starts_with('-'))
                name.remove_prefix(1);
            // The message quotes the flag it is about.
            const auto told = fmt::format("‘{}’", name);
            if (std::string_view{error.what()}.find(told) != std::string_view::npos)
                hint = suggestion(argument);
        }
        throw usage_error{fmt::format("{}; hint: {}", error.what(), hint)};
    }
    const bool needs_config = line.what == action::run || line.what == action::check_config;
    if (needs_config && !line.sources.file && !line.sources.dev)
        throw usage_error{
            "expected --config FILE or --dev, got neither; hint: workerd --dev runs without any "
            "set-up, "
            "workerd --print-example shows a configuration file"};
    if (line.suspects && line.sources.dev)
        throw usage_error{"--suspects: expected --config FILE with it, got --dev"};
    return line;
}

std::string help_text() {
    auto flags = known_flags();
    flags.custom_help("--config FILE | --dev  [flags]");
    auto text = flags.help();
    // What --dev means without a value is said in words; cxxopts would show its inner name.
    constexpr std::string_view shown = "[=fresh(=keep)]";
    if (const auto at = text.find(shown); at != std::string::npos)
        text.replace(at, shown.size(), "[=fresh]       ");
    return text +
           "\nExamples:\n"
           "  workerd --dev                             everything in one process, for trying out\n"
           "  workerd --check-config -c workerd.yaml    before a restart or a reload\n"
           "\nSignals: TERM and INT drain, a second one leaves at once; HUP reads the "
           "configuration\n"
           "again; USR1 switches debug logging on and off.\n"
           "Exit codes: 0 drained, 1 failed, 2 usage or configuration, 130 left at once.\n";
}

}  // namespace workerd
