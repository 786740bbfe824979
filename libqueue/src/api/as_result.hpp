#pragma once

#include "pg/connection.hpp"

#include <libqueue/error.hpp>

#include <type_traits>

namespace libqueue::api {

/// Runs `work` and turns the server errors that are domain errors into a result; others pass on as
/// the exceptions they are.
template <typename Work>
[[nodiscard]] auto as_result(Work&& work) -> libqueue::result<std::invoke_result_t<Work>> {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
            work();
            return {};
        } else {
            return work();
        }
    } catch (const pg::sql_failure& what) {
        if (auto known = pg::domain_error(what)) {
            return std::move(*known);
        }
        throw;
    } catch (const domain_failure& what) {
        return what.why();
    }
}

}  // namespace libqueue::api
