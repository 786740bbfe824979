#include "store/server_check.hpp"

#include "pg/schema_name.hpp"

#include <sql/check_server.hpp>

namespace libqueue::store {
namespace {

enum column : int {
    col_fsync,
    col_full_page_writes,
    col_synchronous_commit,
    col_allow_unsafe,
    col_is_here,
    col_is_original,
    col_recorded,
    col_actual,
    col_name,
    col_role,
    col_role_fault,
};

/// A setting without a declared type comes back as it was written.
bool is_on(std::string_view text) noexcept {
    return text == "on" || text == "true" || text == "yes" || text == "1";
}

std::string unsafe_settings(const server_facts& facts) {
    std::string names;
    if (!facts.fsync) {
        names = "fsync = off";
    }
    if (!facts.full_page_writes) {
        names += names.empty() ? "full_page_writes = off" : ", full_page_writes = off";
    }
    return names;
}

}  // namespace

server_facts::server_facts(const pg::result& row)
    : fsync{is_on(row.text(0, col_fsync))},
      full_page_writes{is_on(row.text(0, col_full_page_writes))},
      commit_waits{row.text(0, col_synchronous_commit) != "off"},
      allow_unsafe_durability{is_on(row.text(0, col_allow_unsafe))},
      is_here{row.text(0, col_is_here) == "t"},
      is_original{row.text(0, col_is_original) == "t"},
      recorded{row.text(0, col_recorded)},
      actual{row.text(0, col_actual)},
      name{row.text(0, col_name)},
      role{row.text(0, col_role)},
      role_fault{row.text(0, col_role_fault)} {}

server_facts read_server_facts(pg::connection& on, std::string_view schema) {
    return server_facts{on.exec(pg::with_schema(sql::check_server, schema))};
}

libqueue::result<std::string> judge_server(const server_facts& facts, const server_terms& terms) {
    if (!facts.is_here) {
        return error{errc::unfit_server,
                     "database: expected the one the queue was installed in (" + facts.recorded +
                         "), got another (" + facts.actual +
                         "): a copy would do its jobs a second time, mails and payments included",
                     "If this copy is meant to run its jobs: qctl migrate adopt. Look first what "
                     "stands in line: qctl stats."};
    }
    if (!terms.installation.empty() && terms.installation != facts.name) {
        return error{errc::unfit_server,
                     "database: expected the installation '" + terms.installation + "', got " +
                         (facts.name.empty() ? "one without a name" : "'" + facts.name + "'"),
                     "Connect to the right database, or name this one: qctl migrate adopt --name " +
                         terms.installation + "."};
    }
    const std::string unsafe = unsafe_settings(facts);
    if (!unsafe.empty() && !facts.allow_unsafe_durability && terms.require_durability) {
        return error{errc::unfit_server,
                     "server: expected fsync and full_page_writes on, got " + unsafe +
                         ": a crash of the machine loses or corrupts acknowledged jobs",
                     "Set both on and reload the server. A throw-away server may say so itself "
                     "(libqueue.allow_unsafe_durability = on in its configuration), or the worker "
                     "may do without (database.require_durability: false)."};
    }
    if (terms.require_tenancy && !facts.role_fault.empty()) {
        return error{errc::unfit_server,
                     "database role " + facts.role +
                         ": expected one that keeps tenants apart, got " + facts.role_fault,
                     "Let the owner run qctl migrate up and qctl roles install, and connect as a "
                     "role of its own: CREATE ROLE workerd LOGIN IN ROLE queue_engine, "
                     "queue_operator (docs/tenancy.md)."};
    }
    std::string warning;
    if (!unsafe.empty()) {
        warning = unsafe + ": a crash of the machine loses acknowledged jobs";
    }
    if (!facts.is_original) {
        warning += warning.empty() ? "" : "; ";
        warning += "the queue was installed in another database of this server (" + facts.recorded +
                   ", here " + facts.actual +
                   "): a copy does its jobs a second time; when it is meant to: qctl migrate adopt";
    }
    if (!facts.commit_waits) {
        warning += warning.empty() ? "" : "; ";
        warning +=
            "synchronous_commit = off: a crash of the server loses jobs whose enqueue was "
            "acknowledged; this worker's own commits wait for the disk";
    }
    return warning;
}

}  // namespace libqueue::store
