#pragma once

#include "faults.hpp"

#include <libqueue/error.hpp>

#include <utility>

namespace qctl {

/// The value of an answer; its error is what the verb stops with.
template <typename Value>
[[nodiscard]] Value unwrapped(libqueue::result<Value> answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
    return std::move(*answer);
}

inline void demand_done(const libqueue::result<void>& answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
}

}  // namespace qctl
