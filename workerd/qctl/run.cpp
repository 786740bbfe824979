#include "run.hpp"

#include "commands/commands.hpp"
#include "confirm.hpp"
#include "faults.hpp"
#include "help.hpp"
#include "server/route_uses.hpp"

namespace qctl {

namespace {

exit_code show_help(const invocation& call, bool nothing_typed) {
    if (call.leaf != nullptr) {
        write_output(command_help(*call.leaf));
    } else if (!call.group.empty()) {
        write_output(group_help(call.group));
    } else {
        write_output(nothing_typed ? short_help() : general_help());
    }
    return exit_code::ok;
}

exit_code run_command(const std::vector<std::string>& arguments, const environment& around,
                      bool& color_err) {
    const auto call = parse_command_line(arguments);
    if (call.help_wanted) {
        return show_help(call, arguments.empty());
    }
    const auto options = resolve_settings(call, around);
    color_err = options.color_err;
    context with{call, options};
    if (!options.server.empty() && !is_local(call.leaf->id) && !works_with_server(call.leaf->id)) {
        throw needs_database(call, "the API of a server does not offer it");
    }
    demand_context_consent(options, *call.leaf);
    with.notes.debug(operation_text(call, options));
    return run_verb(with);
}

}  // namespace

exit_code run(const std::vector<std::string>& arguments) {
    if (!arguments.empty() && arguments[0] == "__complete") {
        return run_complete({arguments.begin() + 1, arguments.end()});
    }
    const auto around = process_environment();
    // Plain until the command line has been understood.
    bool color_err = false;
    const auto fail = [&](const stop& why) {
        write_message(error_text(why, wants_json(arguments), color_err));
        return why.exit;
    };
    try {
        const auto code = run_command(arguments, around, color_err);
        flush_output();
        return code;
    } catch (const stop& why) {
        return fail(why);
    } catch (const libqueue::domain_failure& why) {
        return fail(to_stop(why.why()));
    } catch (const libqueue::failure& why) {
        return fail(to_stop(why));
    } catch (const std::exception& why) {
        return fail(stop{exit_code::failed, "failed", why.what()});
    }
}

}  // namespace qctl
