#include "processors/mint/next_step.hpp"

namespace libqueue::processors::mint {

mint_step next_step(const std::optional<signed_transaction>& under_way, const chain_view& seen,
                    account_finding found) noexcept {
    switch (found) {
        case account_finding::ours:
            return mint_step::done;
        case account_finding::other:
            return mint_step::blocked;
        case account_finding::free:
            break;
    }
    if (!under_way) {
        return mint_step::sign;
    }
    if (seen.status.known) {
        // Landed well and not to be seen yet: the node reads its accounts elsewhere.
        const bool failed = seen.status.settled && !seen.status.error.empty();
        return failed ? mint_step::failed : mint_step::wait;
    }
    return seen.height > under_way->last_valid_height ? mint_step::expired : mint_step::wait;
}

}  // namespace libqueue::processors::mint
