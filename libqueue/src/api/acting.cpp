#include "api/acting.hpp"

#include "core/text.hpp"
#include "engine/handler_sql.hpp"
#include "pg/schema_name.hpp"
#include "store/arguments.hpp"
#include "store/new_job_check.hpp"

#include <sql/act_as.hpp>
#include <sql/record_action.hpp>

#include <algorithm>
#include <array>

namespace libqueue {

std::string_view to_string(role value) noexcept {
    switch (value) {
        case role::viewer:
            return "viewer";
        case role::operate:
            return "operator";
        case role::admin:
            return "admin";
    }
    return "viewer";
}

std::optional<role> parse_role(std::string_view text) noexcept {
    for (const role one : {role::viewer, role::operate, role::admin}) {
        if (text == to_string(one)) {
            return one;
        }
    }
    return std::nullopt;
}

}  // namespace libqueue

namespace libqueue::api {
namespace {

constexpr std::size_t name_bytes{200};

[[nodiscard]] result<void> check_name(const char* what, std::string_view value, bool may_be_empty) {
    if ((value.empty() && !may_be_empty) || value.size() > name_bytes ||
        !core::is_storable_text(value)) {
        return error{errc::invalid_argument, std::string{what} +
                                                 ": expected at most 200 bytes of UTF-8 without "
                                                 "NUL, got " +
                                                 std::to_string(value.size()) + " bytes"};
    }
    return {};
}

/// An SQL literal whatever standard_conforming_strings says. The text is UTF-8, checked before.
[[nodiscard]] std::string literal(std::string_view value) {
    std::string out{"E'"};
    for (const char c : value) {
        if (c == '\'' || c == '\\') {
            out += c;
        }
        out += c;
    }
    return out += '\'';
}

/// The statement itself: its comment names the parameters, too.
[[nodiscard]] std::string_view statement_of(std::string_view file) {
    while (file.starts_with("--")) {
        file.remove_prefix(file.find('\n') + 1);
    }
    return file;
}

/// Of record_action. Throws domain_failure where the names or the detail cannot be sent.
[[nodiscard]] pg::params record_params(const audited_action& what) {
    pg::params record;
    store::add_text(record, "action", what.action);
    if (what.target.empty()) {
        record.null();
    } else {
        store::add_text(record, "target", what.target);
    }
    if (what.detail.empty()) {
        record.null();
    } else {
        store::add_json(record, std::string{what.detail});
    }
    return record;
}

}  // namespace

result<void> check_principal(const principal& who) {
    if (auto valid = check_name("actor", who.actor, false); valid.has_error()) {
        return valid;
    }
    if (who.tenant_id && !store::is_uuid(*who.tenant_id)) {
        return error{errc::invalid_argument, "tenant_id: expected a UUID, got something else"};
    }
    return check_name("request_id", who.request_id, true);
}

std::string acting_prologue(const principal& who, std::chrono::milliseconds at_most,
                            std::string_view schema) {
    const std::array<std::string, 5> values{
        literal(who.actor), literal(to_string(who.role)),
        who.tenant_id ? literal(*who.tenant_id) : std::string{"NULL"}, literal(who.request_id),
        std::to_string(std::clamp<std::int64_t>(at_most.count(), 0, 86'400'000))};
    const std::string text = pg::with_schema(statement_of(sql::act_as), schema);
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '$') {
            out += values.at(static_cast<std::size_t>(text[++at] - '1'));
        } else {
            out += text[at];
        }
    }
    return out;
}

pg::result exec_statement(pg::connection& on, std::string_view schema, const statement& asked) {
    return on.exec(pg::with_schema(asked.sql, schema), engine::params_of(asked));
}

void record_action(pg::connection& on, std::string_view schema, const audited_action& what) {
    on.exec(pg::with_schema(sql::record_action, schema), record_params(what));
}

pg::result exec_audited(pg::connection& on, std::string_view schema, const audited_action& what,
                        const statement& asked) {
    const pg::params record = record_params(what);
    pg::transaction work{on};
    pg::result answer = exec_statement(on, schema, asked);
    on.exec(pg::with_schema(sql::record_action, schema), record);
    work.commit();
    return answer;
}

}  // namespace libqueue::api
