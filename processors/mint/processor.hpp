#pragma once

#include "processors/mint/options.hpp"

#include <libqueue/limit_options.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::mint {

/// The kinds `ticket.mint` and `nft.mint`: one NFT per business key on Solana, under Token-2022.
/// docs/processors/mint.md says what is promised; in short: at most one per key whatever dies when,
/// because the address follows from the key and what was signed is kept before it is sent.
///
///   minted, now or before: completed with {"address", "token_account", "recipient", "uri",
///   "signature"} · something else at the address, key used for other content: discard · no answer:
///   retry; in doubt: reconcile runs until it is known · wallet too low, node throttles: snooze
///
/// Defaults of the kinds: 4 attempts, backoff from 5 s to 300 s, 60 s, reconcile when lost, the
/// limit `solana`. They need `migrations()` in `worker_options::migration_sets` and `solana` in
/// `worker_options::limits`. Throws std::invalid_argument naming the fault of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

/// The schema `mint`.
[[nodiscard]] migration_set migrations();

/// `solana`: 10 at once out of nothing, 2 per second, 5 running, with a circuit breaker. Fits a
/// public endpoint; a paid one takes more.
[[nodiscard]] limit_options default_limit();

}  // namespace libqueue::processors::mint
