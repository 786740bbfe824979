#pragma once

#include <libqueue/error.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// One step of a schema, as SQL. Its first line is `-- breaking: yes` (older code cannot serve the
/// schema once this is applied) or `-- breaking: no`. References to the queue's own schema are
/// written `queue.name` and rewritten for the schema it is installed in.
class migration {
   public:
    migration(int number_, std::string name_, std::string sql_)
        : number{number_}, name{std::move(name_)}, sql{std::move(sql_)} {}
    int number;        ///< 1, 2, 3 ... without gaps
    std::string name;  ///< snake_case
    std::string sql;
};

/// The tables of a processor or of an application, kept in a schema of their own by the same rules
/// as the queue's: forward-only, with checksums, each migration in one transaction, recorded in
/// `<schema>.migration`. See `worker_options::migration_sets`.
class migration_set {
   public:
    migration_set() = default;
    std::string schema;  ///< [a-z_][a-z0-9_]{0,47}, not the queue's; created when missing
    std::vector<migration> migrations;
};

/// Forward-only. Each migration runs in one transaction under an advisory lock, so any number of
/// migrators at once are harmless. Returns the migrations applied (or, dry, to apply).
/// `schema_mismatch`: a checksum differs or an unknown breaking migration is present.
[[nodiscard]] result<std::vector<migration_status>> migrate(const migrate_options& options);
[[nodiscard]] result<std::vector<migration_status>> migration_state(const migrate_options& options);
/// The queue's own and then those of the sets, in this order; `options.schema` is where the queue
/// is. What is returned of a set is named `<schema>.<name>`. `invalid_argument`: a set whose
/// schema's name, numbers or first lines are not as they must be.
[[nodiscard]] result<std::vector<migration_status>> migrate(const migrate_options& options,
                                                            std::span<const migration_set> sets);
/// Says that this database, wherever it was copied or restored from, is meant to run its jobs:
/// workers refuse a copy before. A name, when given, is kept until the next one; see
/// `worker_options::installation`. `invalid_argument`: a name over 64 characters.
/// `schema_mismatch`: there is no queue.
[[nodiscard]] result<void> adopt(const migrate_options& options, std::string_view name);
/// The SQL of all migrations, for people who apply it with psql.
[[nodiscard]] std::string migration_sql(std::string_view schema = "queue");

}  // namespace libqueue
