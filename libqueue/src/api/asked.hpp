#pragma once

#include "as_result.hpp"
#include "on_connection.hpp"

namespace libqueue::api {

/// What most operations are: `work` on the client's connection, domain errors as a result.
template <typename Work>
[[nodiscard]] auto asked(client& from, Work work) {
    return as_result([&] { return on_connection(from, work); });
}

}  // namespace libqueue::api
