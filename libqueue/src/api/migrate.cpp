#include "api/as_result.hpp"
#include "pg/connection.hpp"
#include "pg/migrator.hpp"
#include "pg/schema_name.hpp"

#include <libqueue/migrate.hpp>
#include <sql/adopt.hpp>

namespace libqueue {
namespace {

constexpr std::chrono::milliseconds connect_timeout{10'000};
constexpr const char* application_name{"libqueue migrate"};

}  // namespace

result<std::vector<migration_status>> migrate(const migrate_options& options) {
    if (auto valid = pg::check_schema_name(options.schema); valid.has_error()) {
        return valid.error();
    }
    pg::connection on{options.dsn, application_name, connect_timeout};
    pg::migrator work{on, options.schema};
    if (!options.dry_run) {
        return work.apply();
    }
    std::vector<migration_status> all = work.state();
    if (auto fit = pg::migrator::check(all); fit.has_error()) {
        return fit.error();
    }
    std::erase_if(all, [](const migration_status& one) { return one.applied; });
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
