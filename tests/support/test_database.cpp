#include "test_database.hpp"

#include <libqueue/migrate.hpp>

#include <unistd.h>

#include <atomic>
#include <functional>

namespace test {

namespace {

std::string template_name() {
    return "lq_template_" + std::to_string(std::hash<std::string>{}(libqueue::migration_sql()));
}

void migrate_database(const std::string& dsn) {
    libqueue::migrate_options options;
    options.dsn = dsn;
    static_cast<void>(libqueue::migrate(options).value());
}

// Made once per cluster. The lock and the rename make that true also when several executables
// share a cluster: a template that exists is a template that is complete.
std::string ensure_template(const pg_cluster& cluster) {
    const std::string name = template_name();
    connection admin{cluster.dsn()};
    const auto exists = [&] {
        return !admin.rows("SELECT 1 FROM pg_database WHERE datname = $1", {name}).empty();
    };
    if (exists()) {
        return name;
    }
    admin.execute("SELECT pg_advisory_lock(7205759403792793)");
    if (!exists()) {
        const std::string building = name + "_building";
        admin.execute("DROP DATABASE IF EXISTS " + building + " WITH (FORCE)");
        admin.execute("CREATE DATABASE " + building);
        migrate_database(cluster.dsn(building));
        admin.execute("ALTER DATABASE " + building + " RENAME TO " + name);
    }
    return name;
}

std::string unique_name() {
    static std::atomic<int> counter{0};
    return "lq_test_" + std::to_string(::getpid()) + "_" + std::to_string(++counter);
}

}  // namespace

test_database::test_database(pg_cluster& cluster, content what)
    : cluster_{cluster}, name_{unique_name()} {
    const std::string source =
        what == content::migrated ? ensure_template(cluster) : std::string{"template0"};
    test::execute(cluster.dsn(), "CREATE DATABASE " + name_ + " TEMPLATE " + source);
    if (what == content::migrated) {
        // To the engine it is a copy of the template, which must not run the template's jobs.
        execute("SELECT queue.adopt()");
    }
}

test_database::~test_database() {
    try {
        test::execute(cluster_.dsn(), "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const sql_error&) {
        // The test has killed the server; its directory goes with the cluster.
    }
}

std::string test_database::query(const std::string& sql, const parameters& params) const {
    return test::query(dsn(), sql, params);
}

std::vector<row> test_database::rows(const std::string& sql, const parameters& params) const {
    return test::rows(dsn(), sql, params);
}

void test_database::execute(const std::string& sql, const parameters& params) const {
    test::execute(dsn(), sql, params);
}

}  // namespace test
