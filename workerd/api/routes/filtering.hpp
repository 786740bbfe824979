#pragma once

#include "api_call.hpp"

#include <libqueue/filter.hpp>
#include <libqueue/jobs.hpp>

namespace workerd::api {

inline constexpr field filter_parameter{
    "filter",
    value_type::text,
    "Which: `state:dead kind:email.* age:>10m` and so on; see docs/filters.md.",
    false,
    0,
    4096};

/// Of the query; empty without one. Refuses (400) what is no filter, with the place in it.
[[nodiscard]] inline libqueue::filter filter_of(const api_call& call) {
    return libqueue::parse_filter(call.text("filter").value_or("")).value();
}

[[nodiscard]] inline answer reply_page(const libqueue::found_page& page) {
    return reply_list(page.rows, page.next);
}

}  // namespace workerd::api
