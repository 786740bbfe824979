#pragma once

#include "pg/connection.hpp"
#include "pg/result.hpp"

#include <libqueue/error.hpp>

#include <string>
#include <string_view>
#include <utility>

// Whether jobs may be run on a server: it must keep what it acknowledged, and it must not be a copy
// of the place where the jobs belong.

namespace libqueue::store {

/// What the operator of the worker has said.
class server_terms {
   public:
    server_terms(bool require_durability_, std::string installation_, bool require_tenancy_ = false)
        : require_durability{require_durability_},
          require_tenancy{require_tenancy_},
          installation{std::move(installation_)} {}
    bool require_durability;
    bool require_tenancy;
    std::string installation;  ///< expected name; empty: any
};

/// The row of check_server.
class server_facts {
   public:
    /// From a row whose columns are text, in whichever format it came.
    explicit server_facts(const pg::result& row);
    bool fsync;
    bool full_page_writes;
    bool commit_waits;
    bool allow_unsafe_durability;
    bool is_here;
    bool is_original;
    std::string recorded;
    std::string actual;
    std::string name;
    std::string role;
    std::string role_fault;  ///< why tenants could not be kept apart; empty: they are
};

/// Asks over a connection outside any pipeline. Throws sql_failure.
[[nodiscard]] server_facts read_server_facts(pg::connection& on, std::string_view schema);

/// `unfit_server` says what is wrong and its cure; else what deserves a warning, or empty.
[[nodiscard]] libqueue::result<std::string> judge_server(const server_facts& facts,
                                                         const server_terms& terms);

}  // namespace libqueue::store
