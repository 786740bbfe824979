#include "launch.hpp"

#include "auth/jwt_setup.hpp"
#include "auth/service_setup.hpp"
#include "cli.hpp"
#include "config/reference.hpp"
#include "daemon.hpp"
#include "openapi.hpp"
#include "registry.hpp"

#include <libqueue/failpoints.hpp>
#include <libqueue/version.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace workerd {

namespace {

using kinds = std::vector<libqueue::registration>;

constexpr const char* failpoints_variable = "LIBQUEUE_FAILPOINTS";

/// Faults a test asks for. A warning when there are any, so that none is ever there unseen.
void arm_failpoints(config_result& loaded) {
    const char* asked = std::getenv(failpoints_variable);
    if (asked == nullptr || *asked == '\0')
        return;
    config_fault found;
    found.where.source = failpoints_variable;
    found.path = "failpoints";
    found.got = as_written(asked);
    if (const auto armed = libqueue::arm_failpoints(asked); armed.has_error()) {
        found.expected = "name=action rules";
        found.hint = armed.error().message + "; " + armed.error().hint;
    } else {
        found.level = severity::warning;
        found.expected = "none outside of tests";
        found.hint = "this process kills, stops or cuts itself off on purpose; unset the variable";
    }
    loaded.faults.push_back(std::move(found));
}

int check(config_result& loaded, const kinds& more) {
    if (loaded.is_usable()) {
        static_cast<void>(make_registry(loaded.value, loaded.faults, more));
        static_cast<void>(api::make_jwt_verifier(loaded.value, loaded.faults));
        static_cast<void>(api::make_service_calls(loaded.value, loaded.faults));
    }
    if (!loaded.faults.empty())
        fmt::print(stderr, "{}", to_text(loaded.faults));
    if (!loaded.is_usable())
        return exit_code::usage;
    fmt::print("configuration ok\n");
    return exit_code::ok;
}

int run(const command_line& line, kinds more) {
    auto loaded = load_config(line.sources);
    arm_failpoints(loaded);
    // Warnings go to the log, where every line is an object; a file that cannot be used has said
    // nothing about the log yet.
    if (line.what == action::check_config || !loaded.is_usable())
        return check(loaded, more);
    logger log{parse_log_level(loaded.value.log.level).value_or(log_level::info),
               parse_log_format(loaded.value.log.format)};
    log.set_redacted_keys(loaded.value.log.redact);
    return daemon{line, std::move(loaded), log, std::move(more)}.run();
}

}  // namespace

int launch(int argc, const char* const* argv, std::vector<libqueue::registration> more) {
    try {
        const auto line = parse_command_line(argc, argv);
        const bool runs = line.what == action::run || line.what == action::check_config;
        if (runs)
            return run(line, std::move(more));
        if (line.what == action::print_version)
            fmt::print("workerd {}\n", libqueue::version);
        if (line.what == action::print_help)
            fmt::print("{}", help_text());
        if (line.what == action::print_reference)
            fmt::print("{}", configuration_reference());
        if (line.what == action::print_example)
            fmt::print("{}", configuration_example());
        if (line.what == action::print_openapi)
            fmt::print("{}", api::openapi_text());
        return exit_code::ok;
    } catch (const usage_error& error) {
        fmt::print(stderr, "workerd: {}\n", error.text);
        return exit_code::usage;
    } catch (const std::exception& error) {
        fmt::print(stderr, "workerd: {}\n", error.what());
        return exit_code::failed;
    }
}

}  // namespace workerd
