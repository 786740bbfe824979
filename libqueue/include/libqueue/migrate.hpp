#pragma once

#include <libqueue/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace libqueue {

/// One migration as this build carries it and as the database knows it.
class migration_status {
   public:
    int number{0};
    std::string name;
    bool breaking{false};  ///< older code cannot serve the schema once this is applied
    bool applied{false};
    bool checksum_ok{true};  ///< false: the applied text differs from ours
    bool unknown{false};     ///< in the database but not in this build: it is newer than we are
    std::string applied_at;  ///< ISO 8601, empty when pending
};

class migrate_options {
   public:
    migrate_options() = default;
    std::string dsn;
    std::string schema{"queue"};
    bool dry_run{false};  ///< report what would be applied, change nothing
};

/// Forward-only. Each migration runs in one transaction under an advisory lock, so any number of
/// migrators at once are harmless. Returns the migrations applied (or, dry, to apply).
/// `schema_mismatch`: a checksum differs or an unknown breaking migration is present.
[[nodiscard]] result<std::vector<migration_status>> migrate(const migrate_options& options);
[[nodiscard]] result<std::vector<migration_status>> migration_state(const migrate_options& options);
/// Says that this database, wherever it was copied or restored from, is meant to run its jobs:
/// workers refuse a copy before. A name, when given, is kept until the next one; see
/// `worker_options::installation`. `invalid_argument`: a name over 64 characters.
/// `schema_mismatch`: there is no queue.
[[nodiscard]] result<void> adopt(const migrate_options& options, std::string_view name);
/// The SQL of all migrations, for people who apply it with psql.
[[nodiscard]] std::string migration_sql(std::string_view schema = "queue");

}  // namespace libqueue
