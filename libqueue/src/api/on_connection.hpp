#pragma once

#include "store/operator_store.hpp"

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>

namespace libqueue::api {

/// Runs `work` on the client's connection; once more on a new one when the old was found lost and
/// nothing can have happened.
template <typename Work>
auto on_connection(client& from, Work work) {
    try {
        return work(store::session{from.connection(), from.schema()});
    } catch (const failure& what) {
        if (!what.poisons_connection() || what.outcome_unknown()) {
            throw;
        }
    }
    return work(store::session{from.connection(), from.schema()});
}

}  // namespace libqueue::api
