#pragma once

#include "instant.hpp"
#include "invocation.hpp"

#include <libqueue/operations.hpp>

namespace qctl {

/// Which dead letters a verb is about, and how they were named.
class dlq_choice {
   public:
    libqueue::dead_letter_filter filter;
    bool by_id{false};
    bool by_filter{false};  ///< at least one restricting flag
};

/// Reads ids and filter flags. Throws `stop` (usage), also when ids and filter come together.
[[nodiscard]] dlq_choice read_dlq_choice(const invocation& call, time_point now);

/// For verbs that change things: exactly one of ids, filter and --all.
void demand_choice(const invocation& call, const dlq_choice& choice);

}  // namespace qctl
