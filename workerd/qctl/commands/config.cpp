#include "commands/commands.hpp"
#include "config/json_schema.hpp"
#include "config/load.hpp"
#include "config/reference.hpp"
#include "printable.hpp"
#include "server/api_client.hpp"
#include "values.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

// The same table of options that workerd reads: what is valid here is valid there. (Asking the
// workerd binary instead would have needed it beside qctl, in the same version.)

namespace qctl {

namespace {

using workerd::option_type;

workerd::config_sources sources_of(const invocation& call) {
    workerd::config_sources sources;
    if (!call.arguments.empty()) {
        sources.file = call.arguments[0];
    }
    if (!call.has("no-environment")) {
        sources.environment = workerd::process_environment();
    }
    return sources;
}

std::string place_of(const workerd::origin& where) {
    return where.line == 0 ? where.source
                           : where.source + ":" + std::to_string(where.line) + ":" +
                                 std::to_string(where.column);
}

libqueue::report fault_rows(const std::vector<workerd::config_fault>& faults) {
    libqueue::report rows;
    for (const auto* const name : {"severity", "where", "path", "expected", "got", "hint"}) {
        rows.columns.emplace_back(name, libqueue::column_type::text);
    }
    for (const auto& each : faults) {
        rows.rows.push_back({each.level == workerd::severity::fault ? "error" : "warning",
                             place_of(each.where), each.path, each.expected, each.got, each.hint});
    }
    return rows;
}

// A hint that is cut to the width of a terminal is none, hence no table for people.
std::string fault_text(const std::vector<workerd::config_fault>& faults) {
    std::string text;
    for (const auto& each : faults) {
        text += (each.level == workerd::severity::fault ? "error: " : "warning: ") +
                printable(workerd::to_text(each)) + '\n';
    }
    return text;
}

std::string shown_value(const workerd::setting& of) {
    if (of.row->type == option_type::dsn) {
        return masked_dsn(of.value.text);
    }
    if (of.row->type == option_type::boolean) {
        return of.value.flag ? "true" : "false";
    }
    if (of.row->type == option_type::text_list) {
        std::string all;
        for (const auto& each : of.value.list) {
            all += (all.empty() ? "" : ",") + each;
        }
        return all;
    }
    return of.value.text.empty() ? std::to_string(of.value.number) : of.value.text;
}

exit_code show_of_server(context& with) {
    auto rows = with.server()->items({"GET", "/settings"});
    if (!rows) {
        throw libqueue::domain_failure{rows.error()};
    }
    with.print_list(*rows);
    return exit_code::ok;
}

constexpr std::string_view dev_example =
    "# For workerd --dev --config FILE: a private PostgreSQL, and sinks for mail and webhooks.\n"
    "queues:\n"
    "  default:\n"
    "    concurrency: 8\n"
    "processors:\n"
    "  debug: true\n"
    "log:\n"
    "  level: debug\n";

}  // namespace

exit_code run_config_validate(context& with) {
    const auto found = workerd::load_config(sources_of(with.call));
    if (with.options.format == output_format::table) {
        write_output(found.faults.empty() ? "nothing found\n" : fault_text(found.faults));
    } else {
        with.print_list(fault_rows(found.faults));
    }
    flush_output();
    if (!found.is_usable()) {
        throw stop{exit_code::findings, "findings",
                   counted(static_cast<std::int64_t>(found.faults.size()), "finding", "findings")};
    }
    return exit_code::ok;
}

exit_code run_config_show(context& with) {
    if (with.call.arguments.empty() && !with.options.server.empty()) {
        return show_of_server(with);
    }
    const auto found = workerd::load_config(sources_of(with.call));
    libqueue::report rows;
    for (const auto* const name : {"path", "value"}) {
        rows.columns.emplace_back(name, libqueue::column_type::text);
    }
    const bool sources = with.call.has("sources");
    if (sources) {
        rows.columns.emplace_back("source", libqueue::column_type::text);
    }
    for (const auto& [path, each] : found.value.settings) {
        const bool standard = each.where.source == "default";
        if (standard && !with.call.has("effective")) {
            continue;
        }
        auto& row = rows.rows.emplace_back();
        row = {path, shown_value(each)};
        if (sources) {
            row.push_back(place_of(each.where));
        }
    }
    with.print_list(rows);
    flush_output();
    if (!found.is_usable()) {
        throw stop{exit_code::findings, "findings", "workerd would refuse this configuration",
                   "qctl config validate lists what is wrong"};
    }
    return exit_code::ok;
}

exit_code run_config_schema(context& with) {
    static_cast<void>(with);
    write_output(workerd::configuration_schema());
    return exit_code::ok;
}

exit_code run_config_init(context& with) {
    const std::string text =
        with.call.has("for-dev") ? std::string{dev_example} : workerd::configuration_example();
    if (with.call.arguments.empty() || with.call.arguments[0] == "-") {
        write_output(text);
        return exit_code::ok;
    }
    const auto& path = with.call.arguments[0];
    if (with.options.dry_run) {
        write_output("would write " + printable(path) + '\n');
        return exit_code::ok;
    }
    constexpr mode_t mode = S_IRUSR | S_IWUSR | S_IRGRP;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0 && errno == EEXIST) {
        throw stop{exit_code::refused, "conflict", path + " is there already",
                   "qctl config init without a file prints it"};
    }
    const bool written =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const std::string why = std::strerror(errno);
    if (file >= 0) {
        ::close(file);
    }
    if (!written) {
        throw stop{exit_code::failed, "failed", "cannot write " + path + ": " + why};
    }
    write_output("wrote " + printable(path) + '\n');
    flush_output();
    with.notes.note("check it with: qctl config validate " + path);
    return exit_code::ok;
}

}  // namespace qctl
