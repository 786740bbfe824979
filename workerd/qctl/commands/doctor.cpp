#include "commands/commands.hpp"
#include "faults.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "values.hpp"

#include <libqueue/doctor.hpp>

#include <algorithm>

namespace qctl {

namespace {

libqueue::report rows_of(const std::vector<libqueue::finding>& findings) {
    libqueue::report rows;
    for (const auto* const name : {"severity", "check", "found", "cure"}) {
        rows.columns.emplace_back(name, libqueue::column_type::text);
    }
    for (const auto& each : findings) {
        rows.rows.push_back(
            {std::string{to_string(each.level)}, each.check, each.found, each.cure});
    }
    return rows;
}

// A cure that is cut to the width of a terminal is none, hence no table for people.
std::string text_of(const std::vector<libqueue::finding>& findings) {
    std::string text;
    for (const auto& each : findings) {
        text += std::string{to_string(each.level)} + ": " + each.check + ": " +
                printable(each.found) + "\n    cure: " + printable(each.cure) + '\n';
    }
    return text;
}

}  // namespace

exit_code run_doctor(context& with) {
    libqueue::doctor_options options;
    options.dsn = with.options.dsn;
    options.schema = with.options.schema;
    if (const auto age = with.call.text("older-than")) {
        options.old_transaction = read_duration(*age, "--older-than");
    }
    if (with.options.timeout) {
        options.statement_timeout = *with.options.timeout;
    }
    const auto findings = libqueue::examine(options);
    if (with.options.format == output_format::table) {
        write_output(findings.empty() ? "nothing found\n" : text_of(findings));
    } else {
        with.print_list(rows_of(findings));
    }
    flush_output();
    const auto counted_ones = std::ranges::count_if(findings, [](const libqueue::finding& each) {
        return each.level != libqueue::severity::note;
    });
    if (counted_ones > 0) {
        throw stop{exit_code::findings, "findings", counted(counted_ones, "finding", "findings")};
    }
    return exit_code::ok;
}

}  // namespace qctl
