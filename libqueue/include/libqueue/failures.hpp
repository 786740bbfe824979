#pragma once

#include <libqueue/client.hpp>
#include <libqueue/filter.hpp>
#include <libqueue/jobs.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace libqueue {

/// Dead letters by filter and by what killed them. Uses the client's connection: one thread at a
/// time, and the client must outlive it. A database that is away throws `failure`.
class failures {
   public:
    explicit failures(client& connection) noexcept : client_{connection} {}

    /// The latest death first, without payloads; about 100 ms at most. `limit` 1 to 10000.
    [[nodiscard]] result<found_page> find(const filter& which,
                                          const std::optional<std::string>& behind = {},
                                          int limit = 50);
    /// One row with everything; `not_found` when the job is not dead.
    [[nodiscard]] result<report> show(job_id id);
    /// Groups, the latest first and muted ones last; of each up to 1000 letters are counted
    /// (count_exact). `series`: deaths in 24 equal parts of the time since `window` ago.
    [[nodiscard]] result<report> groups(const filter& which,
                                        std::chrono::seconds window = std::chrono::hours{24},
                                        int limit = 100);
    /// Replaces what was said about a group; `not_found` when it has no letters.
    [[nodiscard]] result<void> note_group(std::string_view fingerprint,
                                          const std::optional<std::string>& note, bool muted);

   private:
    client& client_;
};

}  // namespace libqueue
