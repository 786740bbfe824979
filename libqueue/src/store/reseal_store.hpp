#pragma once

#include "store/operator_store.hpp"

#include <libqueue/encryption.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::store {

/// Where sealed texts are.
enum class sealed_source {
    jobs,
    outputs,
    dead_letters,
    archived_jobs,
    archived_outputs,
    checkpoints,
    effects
};

class sealed_text {
   public:
    explicit sealed_text(seal_owner owner_) : owner{std::move(owner_)} {}
    seal_owner owner;
    std::string place;  ///< beside the job: lease of an output, archive, step of an effect
    std::string text;
};

/// A range of jobs and what in it is to be sealed anew.
class reseal_span {
   public:
    std::int64_t after{0};
    std::int64_t up_to{0};
    std::optional<std::string> from;  ///< only what this key sealed
    std::string active;               ///< without `from`: what this one sealed is left alone
};

/// The last of the next hundred jobs; nothing after the last of all.
[[nodiscard]] std::optional<std::int64_t> next_reseal_span(const session& with, std::int64_t after);
/// Locked until the transaction ends.
[[nodiscard]] std::vector<sealed_text> find_to_reseal(const session& with, sealed_source where,
                                                      const reseal_span& span);
void put_resealed(const session& with, sealed_source where, const std::vector<sealed_text>& texts);
/// Those of the dead letters that need keys to be replayed as new jobs; locked.
[[nodiscard]] std::vector<sealed_text> find_encrypted_letters(const session& with,
                                                              std::span<const job_id> ids);
/// Replays `letter` as job `new_id`, for which `payload` is sealed. False: somebody else has it.
[[nodiscard]] bool replay_sealed(const session& with, job_id letter, job_id new_id,
                                 std::string_view payload, const replay_options& options,
                                 const sweep& all, std::int64_t done);
[[nodiscard]] pg::result key_usage(const session& with);

}  // namespace libqueue::store
