#pragma once

#include "pg/connection.hpp"

#include <libqueue/error.hpp>
#include <libqueue/migrate.hpp>

#include <string>
#include <vector>

namespace libqueue::pg {

/// Applies the embedded migrations to one schema over a connection of the caller's that is outside
/// any transaction. Throws sql_failure when the database is away or refuses; a statement that fails
/// names its migration.
class migrator {
   public:
    migrator(connection& on, std::string schema) : on_{on}, schema_{std::move(schema)} {}

    /// What this build carries and what the database has, by number. Changes nothing.
    [[nodiscard]] std::vector<migration_status> state();
    /// Whether this code can serve a schema in that state, pending migrations aside:
    /// schema_mismatch names the migration that was changed or is unknown and breaking.
    [[nodiscard]] static libqueue::result<void> check(const std::vector<migration_status>& state);
    /// Applies what is pending, each in its own transaction. Waits for other migrators and gives up
    /// a lock that is not granted within seconds, so that nobody queues behind a migration that is
    /// itself blocked; then tries again, and throws after some minutes.
    [[nodiscard]] libqueue::result<std::vector<migration_status>> apply();

   private:
    [[nodiscard]] std::string in_schema(std::string_view sql) const;
    void begin_locked();
    void create_table();
    /// Returns false when another migrator has applied it meanwhile.
    bool apply_one(const migration_status& pending);
    template <typename Work>
    auto with_lock_retries(Work work);

    connection& on_;
    std::string schema_;
};

}  // namespace libqueue::pg
