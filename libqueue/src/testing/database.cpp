#include "pg/connection.hpp"
#include "pg/schema_name.hpp"
#include "store/sql_text.hpp"

#include <libqueue/migrate.hpp>
#include <libqueue/testing.hpp>
#include <sql/testing_fire_schedules.hpp>
#include <sql/testing_move_time.hpp>

#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cstdlib>
#include <random>

namespace libqueue::testing {
namespace {

std::string default_server() {
    const char* given = std::getenv("LIBQUEUE_TEST_DSN");
    return given != nullptr && *given != '\0' ? std::string{given} : server::shared().dsn();
}

/// Also unlike those of another machine's process that uses the same server.
std::string unique_name() {
    static std::atomic<int> counter{0};
    static const unsigned salt = std::random_device{}();
    return "libqueue_test_" + std::to_string(::getpid()) + "_" + std::to_string(salt) + "_" +
           std::to_string(++counter);
}

/// The same server, another database: a later dbname counts, in an URI the one of its path.
std::string with_database(const std::string& dsn, const std::string& name) {
    const std::size_t scheme = dsn.find("://");
    if (scheme == std::string::npos) {
        return dsn + " dbname=" + name;
    }
    const std::size_t path = dsn.find('/', scheme + 3);
    const std::size_t query = dsn.find('?');
    return dsn.substr(0, std::min(path, query)) + "/" + name +
           (query == std::string::npos ? "" : dsn.substr(query));
}

}  // namespace

class database::impl {
   public:
    explicit impl(std::string server_dsn)
        : server_dsn_{std::move(server_dsn)},
          name_{unique_name()},
          dsn{with_database(server_dsn_, name_)} {
        on_server("CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'");
        migrate_options options;
        options.dsn = dsn;
        static_cast<void>(migrate(options).value());
    }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() {
        on.reset();
        try {
            on_server("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
        } catch (const failure&) {
            // The server is gone, and the database with it.
        }
    }

   private:
    void on_server(const std::string& command) const {
        pg::connection admin{server_dsn_, "libqueue testing", std::chrono::seconds{10}};
        admin.exec(command);
    }

    std::string server_dsn_;
    std::string name_;

   public:
    const std::string dsn;
    std::optional<libqueue::client> on;
};

database::database() : database{default_server()} {}
database::database(const std::string& server_dsn) : impl_{std::make_unique<impl>(server_dsn)} {}
database::~database() = default;

const std::string& database::dsn() const noexcept {
    return impl_->dsn;
}

libqueue::client& database::client() {
    if (!impl_->on) {
        impl_->on.emplace(client_options{impl_->dsn});
    }
    return *impl_->on;
}

void database::move_time(std::chrono::milliseconds forward) {
    pg::params by;
    by.number(forward.count());
    libqueue::client& on = client();
    on.connection().exec(pg::with_schema(sql::testing_move_time, on.schema()), by);
}

std::int64_t database::fire_schedules(time_point now) {
    pg::params at;
    at.text(store::time_text(now));
    libqueue::client& on = client();
    return on.connection()
        .exec(pg::with_schema(sql::testing_fire_schedules, on.schema()), at)
        .int64(0, 0);
}

}  // namespace libqueue::testing
