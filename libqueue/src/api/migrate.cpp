#include "api/as_result.hpp"
#include "pg/connection.hpp"
#include "pg/migrator.hpp"
#include "pg/schema_name.hpp"

#include <libqueue/migrate.hpp>
#include <sql/adopt.hpp>

#include <utility>

namespace libqueue {
namespace {

constexpr std::chrono::milliseconds connect_timeout{10'000};
constexpr const char* application_name{"libqueue migrate"};

[[nodiscard]] result<std::vector<migration_status>> run(pg::migrator work, bool dry) {
    if (!dry) {
        return work.apply();
    }
    std::vector<migration_status> all = work.state();
    if (auto fit = pg::migrator::check(all); fit.has_error()) {
        return fit.error();
    }
    std::erase_if(all, [](const migration_status& one) { return one.applied; });
    return all;
}

}  // namespace

result<std::vector<migration_status>> migrate(const migrate_options& options) {
    if (auto valid = pg::check_schema_name(options.schema); valid.has_error()) {
        return valid.error();
    }
    pg::connection on{options.dsn, application_name, connect_timeout};
    return run(pg::migrator{on, options.schema}, options.dry_run);
}

result<std::vector<migration_status>> migrate(const migrate_options& options,
                                              std::span<const migration_set> sets) {
    auto all = migrate(options);
    if (all.has_error() || sets.empty()) {
        return all;
    }
    pg::connection on{options.dsn, application_name, connect_timeout};
    for (const migration_set& set : sets) {
        if (auto valid = pg::migrator::check_set(set, options.schema); valid.has_error()) {
            return valid.error();
        }
        auto done = run(pg::migrator{on, set, options.schema}, options.dry_run);
        if (done.has_error()) {
            return done.error();
        }
        for (migration_status& one : *done) {
            one.name.insert(0, set.schema + ".");
            all->push_back(std::move(one));
        }
    }
    return all;
}

result<std::vector<migration_status>> migration_state(const migrate_options& options) {
    if (auto valid = pg::check_schema_name(options.schema); valid.has_error()) {
        return valid.error();
    }
    pg::connection on{options.dsn, application_name, connect_timeout};
    return pg::migrator{on, options.schema}.state();
}

result<void> adopt(const migrate_options& options, std::string_view name) {
    if (auto valid = pg::check_schema_name(options.schema); valid.has_error()) {
        return valid.error();
    }
    pg::connection on{options.dsn, application_name, connect_timeout};
    return api::as_result([&] {
        pg::params p;
        p.text(name.empty() ? std::nullopt : std::optional{std::string{name}});
        on.exec(pg::with_schema(sql::adopt, options.schema), p);
    });
}

}  // namespace libqueue
