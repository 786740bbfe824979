#pragma once

#include <libqueue/client.hpp>
#include <libqueue/encryption.hpp>
#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace libqueue {

class reseal_options {
   public:
    reseal_options() = default;
    std::optional<std::string> from;  ///< only what this key sealed; nothing: all that is not
                                      ///< sealed with the key that seals now, plaintext included
    bool dry_run{false};              ///< opens and counts, changes nothing
};

class reseal_counts {
   public:
    reseal_counts() = default;
    std::int64_t sealed{0};      ///< texts that are now sealed with the key that seals now
    std::int64_t unreadable{0};  ///< texts left alone: their key is not here, or they were changed
};

/// Gets rid of keys that are no longer to be used. Uses the client's connection: one thread at a
/// time, and the client must outlive it. A database that is away throws `failure`.
class key_upkeep {
   public:
    explicit key_upkeep(client& connection) noexcept : client_{connection} {}

    /// How many texts each key is needed for: columns key_id (NULL: of an encrypted kind and not
    /// sealed), source (job, output, dead_letter), texts. Reads all of history.
    [[nodiscard]] report usage();

    /// Goes once through jobs, outputs and dead letters, 100 jobs to a transaction, while workers
    /// run. What was sealed with an older key meanwhile is left for the next call: repeat until
    /// `usage` no longer names the key. `progress` gets (texts sealed, 0) after each transaction.
    [[nodiscard]] result<reseal_counts> reseal(const keyring& keys,
                                               const reseal_options& options = {},
                                               const progress_callback& progress = {});

   private:
    client& client_;
};

}  // namespace libqueue
