#pragma once

#include "pg/connection.hpp"
#include "pg/result.hpp"

#include <libqueue/principal.hpp>
#include <libqueue/statement.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace libqueue::api {

/// invalid_argument where the database would not take it.
[[nodiscard]] result<void> check_principal(const principal& who);
/// What each transaction on its behalf begins with.
[[nodiscard]] std::string acting_prologue(const principal& who, std::chrono::milliseconds at_most,
                                          std::string_view schema);
/// An action as the audit names it.
class audited_action {
   public:
    audited_action(std::string_view action_, std::string_view target_, std::string_view detail_)
        : action{action_}, target{target_}, detail{detail_} {}
    std::string_view action;
    std::string_view target;
    std::string_view detail;
};

/// A statement of the caller's. Throws sql_failure, domain_failure.
[[nodiscard]] pg::result exec_statement(pg::connection& on, std::string_view schema,
                                        const statement& asked);
/// In the transaction that is open; nothing without a principal.
void record_action(pg::connection& on, std::string_view schema, const audited_action& what);
/// With its audit record, in one transaction.
[[nodiscard]] pg::result exec_audited(pg::connection& on, std::string_view schema,
                                      const audited_action& what, const statement& asked);

}  // namespace libqueue::api
