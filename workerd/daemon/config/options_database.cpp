#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "database.dsn",
           .type = option_type::dsn,
           .min = 1,
           .max = 4096,
           .sample = "postgresql://workerd@db.internal/app?sslmode=verify-full",
           .doc =
               "The database that holds the queue: a libpq connection string or URI. `--db` and "
               "the environment variable `DATABASE_URL` go first; with none of the three, libpq's "
               "own `PG*` variables count. A password is refused here: use `dsn_file`, "
               "`DATABASE_URL` or a libpq passfile.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.dsn = v.text;
               }},
    option{.path = "database.dsn_file",
           .type = option_type::secret_file,
           .sample = "/etc/workerd/dsn",
           .doc = "A file that holds the connection string, so that it may contain a password. "
                  "Excludes `dsn`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.dsn_file = v.text;
               }},
    option{.path = "database.listen_dsn",
           .type = option_type::dsn,
           .min = 1,
           .max = 4096,
           .sample = "postgresql://workerd@db.internal:5432/app",
           .doc =
               "A direct connection for LISTEN when `dsn` leads to a pooler in transaction mode, "
               "where LISTEN does not work.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.listen_dsn = v.text;
               }},
    option{.path = "database.listen_dsn_file",
           .type = option_type::secret_file,
           .sample = "/etc/workerd/listen-dsn",
           .doc = "The same from a file. Excludes `listen_dsn`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.listen_dsn_file = v.text;
               }},
    option{.path = "database.listen",
           .type = option_type::boolean,
           .standard = "true",
           .doc =
               "Wait for wake-ups with LISTEN. Without it jobs are found by polling alone, which "
               "is always correct and up to `worker.poll_interval` later.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.listen = v.flag;
               }},
    option{.path = "database.pooler",
           .type = option_type::choice,
           .standard = "auto",
           .choices = "auto|session|transaction",
           .doc =
               "What stands between workerd and PostgreSQL. `transaction`: a pooler in transaction "
               "mode, behind which statements are not prepared and LISTEN is refused (set "
               "`listen_dsn` or `listen: false`). `session`: nothing, or a pooler in session mode. "
               "`auto` asks at every connect and takes any pooler for one in transaction mode.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.pooler = v.text == "session"       ? libqueue::pooling::session
                                       : v.text == "transaction" ? libqueue::pooling::transaction
                                                                 : libqueue::pooling::detect;
               }},
    option{.path = "database.schema",
           .type = option_type::identifier,
           .standard = "queue",
           .min = 1,
           .max = 63,
           .doc = "The SQL schema the queue is installed in.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.schema = v.text;
               }},
    option{.path = "database.connect_timeout",
           .type = option_type::duration,
           .standard = "10s",
           .min = 1'000,
           .max = 300'000,
           .doc = "How long one attempt to connect may take. Passed to libpq, which counts whole "
                  "seconds.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.connect_timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "database.statement_timeout",
           .type = option_type::duration,
           .standard = "0",
           .min = 0,
           .max = 3'600'000,
           .doc = "PostgreSQL cancels a statement of ours that runs longer. 0 leaves the server's "
                  "own setting. Sent as a start-up parameter, which poolers refuse: set it "
                  "on the role there.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.statement_timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "database.connections",
           .type = option_type::integer,
           .standard = "2",
           .min = 1,
           .max = 8,
           .doc = "Connections that acknowledge and claim. One more listens and one more sends "
                  "heartbeats and does the upkeep.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.connections = static_cast<int>(v.number);
               }},
    option{.path = "database.migrate",
           .type = option_type::boolean,
           .standard = "true",
           .doc =
               "Apply outstanding migrations at start. Any number of processes may do so at once. "
               "Without it workerd refuses to start on a schema it cannot serve.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.database.migrate = v.flag;
               }},
    option{
        .path = "database.require_durability",
        .type = option_type::boolean,
        .standard = "false",
        .doc =
            "Refuse a server with `fsync` or `full_page_writes` off, where a crash of the machine "
            "loses acknowledged jobs; for money. Without it workerd warns at every start. A "
            "server may allow it itself with `libqueue.allow_unsafe_durability = on`.",
        .bind =
            [](config& c, const std::string&, const option_value& v) {
                c.database.require_durability = v.flag;
            }},
    option{
        .path = "database.installation",
        .type = option_type::name,
        .min = 1,
        .max = 64,
        .sample = "production",
        .doc =
            "The name the database must have been given with `qctl migrate adopt --name`. Guards "
            "against a file-level copy of another database, whose identifiers are the same. "
            "Unset: any.",
        .bind =
            [](config& c, const std::string&, const option_value& v) {
                c.database.installation = v.text;
            }},
};

}  // namespace

std::span<const option> database_option_rows() {
    return rows;
}

}  // namespace workerd
