#pragma once

#include "invocation.hpp"

#include <libqueue/filter.hpp>

#include <cstddef>

namespace qctl {

/// The words of the command line from a place on as one filter, and the flags that say the same:
/// --state, --queue, --kind, --tag, --tenant. Throws `stop` (usage).
[[nodiscard]] libqueue::filter filter_of_words(const invocation& call, std::size_t from);

}  // namespace qctl
