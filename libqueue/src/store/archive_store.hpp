#pragma once

#include "pg/connection.hpp"
#include "store/operator_store.hpp"

#include <libqueue/archives.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Archives and erasing, one function per statement. All throw pg::sql_failure; text that cannot be
// sent throws domain_failure.

namespace libqueue::store {

void set_archive(const session& with, std::string_view kind,
                 const std::optional<std::string>& archive);
void set_archive_retention(const session& with, std::string_view archive,
                           const std::optional<std::chrono::milliseconds>& retention);
[[nodiscard]] pg::result list_archives(const session& with);
[[nodiscard]] pg::result list_archived_jobs(const session& with, const archived_filter& filter);
/// Nothing when there is no such archive.
[[nodiscard]] std::optional<std::int64_t> count_archived_jobs(const session& with,
                                                              const archived_filter& filter);
[[nodiscard]] std::int64_t remove_archived_jobs(const session& with, std::string_view archive,
                                                std::span<const job_id> ids);
/// One batch; fewer than `limit`: that was the last.
[[nodiscard]] std::int64_t remove_old_archived_jobs(const session& with, std::string_view archive,
                                                    time_point before, int limit);
[[nodiscard]] erasure erase_subject(const session& with, const erasure_request& request);
[[nodiscard]] pg::result list_erasures(const session& with, int limit);

}  // namespace libqueue::store
