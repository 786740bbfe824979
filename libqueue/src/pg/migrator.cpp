#include "pg/migrator.hpp"

#include "pg/schema_name.hpp"
#include "pg/sha256.hpp"

#include <sql/create_migration_table.hpp>
#include <sql/create_schema.hpp>
#include <sql/find_migration_table.hpp>
#include <sql/list_migrations.hpp>
#include <sql/lock_migrations.hpp>
#include <sql/migrations.hpp>
#include <sql/record_migration.hpp>

#include <algorithm>
#include <array>
#include <thread>

namespace libqueue::pg {
namespace {

/// How long a migrator waits for one lock, and how often it tries again: about five minutes in all.
constexpr std::string_view lock_timeout{"SET LOCAL lock_timeout = '4s'"};
constexpr int lock_attempts{60};
constexpr std::chrono::milliseconds lock_pause{1'000};
constexpr std::string_view lock_not_available{"55P03"};
constexpr std::string_view deadlock_detected{"40P01"};

constexpr std::string_view breaking_yes{"-- breaking: yes"};
constexpr std::string_view breaking_no{"-- breaking: no"};

[[nodiscard]] std::string_view first_line(std::string_view text) {
    return text.substr(0, text.find('\n'));
}

/// The header line `-- breaking: yes|no`, which every migration starts with.
[[nodiscard]] bool is_breaking(std::string_view text) {
    const std::string_view line = first_line(text);
    LIBQUEUE_ASSERT(line == breaking_yes || line == breaking_no);
    return line == breaking_yes;
}

[[nodiscard]] std::string title(const migration_status& one) {
    std::string number = std::to_string(one.number);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
    return number + "_" + one.name;
}

/// For psql: the recording statement with its parameters written out. None of them can contain a
/// quote or a `$`.
[[nodiscard]] std::string literal_record(const sql::migration& one) {
    const std::array<std::string, 4> values{
        std::to_string(one.number), "'" + std::string{one.name} + "'",
        "'" + sha256_hex(one.text) + "'", is_breaking(one.text) ? "true" : "false"};
    std::string out;
    // Only the statement itself: its header comment names the parameters too.
    for (std::size_t i = sql::record_migration.find("INSERT"); i < sql::record_migration.size();
         ++i) {
        if (sql::record_migration[i] == '$') {
            out += values.at(static_cast<std::size_t>(sql::record_migration[++i] - '1'));
        } else {
            out += sql::record_migration[i];
        }
    }
    while (!out.empty() && out.back() == '\n') {
        out.pop_back();
    }
    return out;
}

}  // namespace

migrator::migrator(connection& on, std::string schema)
    : on_{on}, schema_{std::move(schema)}, queue_schema_{schema_} {
    for (const sql::migration& one : sql::migrations) {
        ours_.emplace_back(one.number, one.name, one.text);
    }
}

migrator::migrator(connection& on, const migration_set& set, std::string queue_schema)
    : on_{on}, schema_{set.schema}, queue_schema_{std::move(queue_schema)} {
    for (const migration& one : set.migrations) {
        ours_.emplace_back(one.number, one.name, one.sql);
    }
}

libqueue::result<void> migrator::check_set(const migration_set& set,
                                           std::string_view queue_schema) {
    if (auto valid = check_schema_name(set.schema); valid.has_error()) {
        return valid.error();
    }
    if (set.schema == queue_schema) {
        return error{errc::invalid_argument,
                     "migration set: expected a schema of its own, got the queue's, " + set.schema};
    }
    int expected = 1;
    for (const migration& one : set.migrations) {
        const std::string where =
            "migration set " + set.schema + ": migration " + std::to_string(one.number);
        if (one.number != expected++) {
            return error{errc::invalid_argument,
                         where + ": expected number " + std::to_string(expected - 1)};
        }
        const std::string_view line = first_line(one.sql);
        if (line != breaking_yes && line != breaking_no) {
            return error{errc::invalid_argument,
                         where + ": expected \"" + std::string{breaking_no} + "\" or \"" +
                             std::string{breaking_yes} + "\" as its first line"};
        }
    }
    return {};
}

const migrator::known_migration* migrator::find_ours(int number) const noexcept {
    const auto found = std::find_if(ours_.begin(), ours_.end(), [&](const known_migration& one) {
        return one.number == number;
    });
    return found == ours_.end() ? nullptr : &*found;
}

std::string migrator::in_schema(std::string_view sql) const {
    return with_schema(sql, schema_);
}

std::vector<migration_status> migrator::state() {
    std::vector<migration_status> all;
    for (const known_migration& one : ours_) {
        migration_status& status = all.emplace_back();
        status.number = one.number;
        status.name = one.name;
        status.breaking = is_breaking(one.text);
    }
    if (!on_.exec(in_schema(sql::find_migration_table)).boolean(0, 0)) {
        return all;
    }
    const pg::result known = on_.exec(in_schema(sql::list_migrations));
    for (int row = 0; row < known.rows(); ++row) {
        const auto number = static_cast<int>(known.int64(row, 0));
        const known_migration* ours = find_ours(number);
        auto place = std::find_if(all.begin(), all.end(), [&](const migration_status& one) {
            return one.number == number;
        });
        if (place == all.end()) {
            place = all.emplace(all.end());
            place->number = number;
            place->name = known.text(row, 1);
            place->breaking = known.boolean(row, 3);
            place->unknown = true;
        }
        place->applied = true;
        place->applied_at = known.text(row, 4);
        place->checksum_ok = ours == nullptr || known.text(row, 2) == sha256_hex(ours->text);
    }
    return all;
}

libqueue::result<void> migrator::check(const std::vector<migration_status>& state) {
    for (const migration_status& one : state) {
        if (!one.checksum_ok) {
            return error{errc::schema_mismatch,
                         "migration " + title(one) +
                             ": expected the text this build carries, got another checksum in the "
                             "database",
                         "Applied migrations are never edited: use the build that applied it, or "
                         "restore the file."};
        }
        if (one.unknown && one.breaking) {
            return error{errc::schema_mismatch,
                         "migration " + title(one) +
                             " is in the database, is breaking, and is unknown to this build",
                         "The schema is newer than this code: upgrade it."};
        }
    }
    return {};
}

void migrator::begin_locked() {
    on_.exec(lock_timeout);
    on_.exec(in_schema(sql::lock_migrations));
}

void migrator::create_table() {
    if (on_.exec(in_schema(sql::find_migration_table)).boolean(0, 0)) {
        return;
    }
    transaction work{on_};
    begin_locked();
    on_.exec(in_schema(sql::create_schema));
    on_.exec(in_schema(sql::create_migration_table));
    work.commit();
}

bool migrator::apply_one(const migration_status& pending) {
    const known_migration* ours = find_ours(pending.number);
    LIBQUEUE_ASSERT(ours != nullptr);
    transaction work{on_};
    begin_locked();
    const std::vector<migration_status> now = state();
    for (const migration_status& one : now) {
        if (one.number == pending.number && one.applied) {
            return false;
        }
    }
    params record;
    record.number(pending.number).text(pending.name).text(sha256_hex(ours->text));
    record.boolean(pending.breaking);
    on_.exec(in_schema(sql::record_migration), record);
    on_.exec_script(with_schema(ours->text, queue_schema_));
    work.commit();
    return true;
}

template <typename Work>
auto migrator::with_lock_retries(Work work) {
    for (int attempt = 1;; ++attempt) {
        try {
            return work();
        } catch (const sql_failure& what) {
            const bool blocked =
                what.sqlstate() == lock_not_available || what.sqlstate() == deadlock_detected;
            if (!blocked || attempt >= lock_attempts) {
                throw;
            }
        }
        std::this_thread::sleep_for(lock_pause);
    }
}

libqueue::result<std::vector<migration_status>> migrator::apply() {
    const std::vector<migration_status> before = state();
    if (auto fit = check(before); fit.has_error()) {
        return fit.error();
    }
    with_lock_retries([this] { create_table(); });
    std::vector<migration_status> applied;
    for (const migration_status& one : before) {
        if (one.applied) {
            continue;
        }
        try {
            if (with_lock_retries([&] { return apply_one(one); })) {
                applied.push_back(one);
                applied.back().applied = true;
            }
        } catch (const sql_failure& what) {
            throw sql_failure{"migration " + title(one) + ": " + what.what(), what.sqlstate(),
                              what.poisons_connection(), what.outcome_unknown(), what.hint()};
        }
    }
    return applied;
}

}  // namespace libqueue::pg

namespace libqueue {

std::string migration_sql(std::string_view schema) {
    std::string script{
        "-- All migrations, for: psql -v ON_ERROR_STOP=1 -f <this file>\n"
        "-- One that was applied before stops at its first statement and changes nothing.\n"};
    const auto add = [&script](std::string_view sql) {
        script.append(sql.substr(0, sql.find_last_not_of('\n') + 1)).append(";\n");
    };
    script += "\nBEGIN;\n";
    add(sql::lock_migrations);
    add(sql::create_schema);
    add(sql::create_migration_table);
    script += "COMMIT;\n";
    for (const sql::migration& one : sql::migrations) {
        script += "\nBEGIN;\n";
        add(sql::lock_migrations);
        add(pg::literal_record(one));
        script.append(one.text).append("COMMIT;\n");
    }
    return pg::with_schema(script, schema);
}

}  // namespace libqueue
