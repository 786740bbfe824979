#pragma once

#include "core/limits.hpp"
#include "core/text.hpp"
#include "pg/params.hpp"
#include "store/new_job_check.hpp"

#include <libqueue/error.hpp>

#include <optional>
#include <string>
#include <string_view>

// Arguments of an operator's statement: what PostgreSQL cannot even be asked is refused here with
// domain_failure, the rest it checks itself.

namespace libqueue::store {

[[noreturn]] inline void refuse(std::string message) {
    throw domain_failure{error{errc::invalid_argument, std::move(message)}};
}

inline void add_text(pg::params& to, const char* argument, std::string_view value) {
    if (!core::is_storable_text(value)) {
        refuse(std::string{argument} + ": expected UTF-8 without NUL, got other bytes");
    }
    to.text(value);
}

inline void add_text(pg::params& to, const char* argument,
                     const std::optional<std::string>& value) {
    if (value) {
        add_text(to, argument, std::string_view{*value});
    } else {
        to.null();
    }
}

inline void add_tenant(pg::params& to, const std::optional<std::string>& tenant) {
    if (tenant && !is_uuid(*tenant)) {
        refuse("tenant_id: expected a UUID, got something else");
    }
    to.text(tenant);
}

inline void add_limit(pg::params& to, int limit) {
    if (limit < 1 || limit > limits::list_rows_max) {
        refuse("limit: expected 1 to 10000, got " + std::to_string(limit));
    }
    to.number(limit);
}

template <typename Number>
void add_number(pg::params& to, const std::optional<Number>& number) {
    number ? to.number(*number) : to.null();
}

/// Where the document is wrong, before PostgreSQL would only say that it is.
inline void add_json(pg::params& to, const std::string& text) {
    if (auto document = core::json_storable(text); document.has_error()) {
        throw domain_failure{document.error()};
    }
    to.text(text);
}

}  // namespace libqueue::store
