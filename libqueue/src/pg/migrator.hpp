#pragma once

#include "pg/connection.hpp"

#include <libqueue/error.hpp>
#include <libqueue/migrate.hpp>

#include <string>
#include <vector>

namespace libqueue::pg {

/// Applies the embedded migrations, or those of a set, to one schema over a connection of the
/// caller's that is outside any transaction. Throws sql_failure when the database is away or
/// refuses; a statement that fails names its migration.
class migrator {
   public:
    /// The queue's own.
    migrator(connection& on, std::string schema);
    /// A set's, which `check_set` has found well; it must outlive this.
    migrator(connection& on, const migration_set& set, std::string queue_schema);

    /// invalid_argument: names the schema, number or first line that is not as it must be.
    [[nodiscard]] static libqueue::result<void> check_set(const migration_set& set,
                                                          std::string_view queue_schema);

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
    /// One of ours: of the embedded, or of the set.
    class known_migration {
       public:
        known_migration(int number_, std::string_view name_, std::string_view text_)
            : number{number_}, name{name_}, text{text_} {}
        int number;
        std::string_view name;
        std::string_view text;
    };
    [[nodiscard]] const known_migration* find_ours(int number) const noexcept;
    [[nodiscard]] std::string in_schema(std::string_view sql) const;
    void begin_locked();
    void create_table();
    /// Returns false when another migrator has applied it meanwhile.
    bool apply_one(const migration_status& pending);
    template <typename Work>
    auto with_lock_retries(Work work);

    connection& on_;
    std::string schema_;        // of the migrations' own table, and what they make
    std::string queue_schema_;  // what `queue.` in their text means
    std::vector<known_migration> ours_;
};

}  // namespace libqueue::pg
