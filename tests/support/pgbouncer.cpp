#include "pgbouncer.hpp"

#include "pg_cluster.hpp"
#include "wait_until.hpp"

#include <libpq-fe.h>

#include <stdexcept>
#include <utility>

namespace test {

namespace {

std::string program() {
    // The Debian package puts it where an ordinary user's PATH does not look.
    return std::filesystem::exists("/usr/sbin/pgbouncer") ? "/usr/sbin/pgbouncer" : "pgbouncer";
}

}  // namespace

pgbouncer::pgbouncer(const std::string& socket_dir, const std::string& mode,
                     std::vector<std::string> settings)
    : run_as_{server_user()} {
    const auto users = dir_.write("users.txt", "\"postgres\" \"\"\n");
    std::string text = "[databases]\n* = host=" + socket_dir +
                       "\n[pgbouncer]\nlisten_addr =\nlisten_port = " + std::to_string(port) +
                       "\nunix_socket_dir = " + dir_.path().string() +
                       "\nauth_type = trust\nauth_file = " + users.string() +
                       "\npool_mode = " + mode + "\nmax_client_conn = 200\n";
    for (const auto& setting : settings) {
        text += setting + "\n";
    }
    const auto config = dir_.write("pgbouncer.ini", text);
    if (run_as_) {
        for (const auto& path : {dir_.path(), users, config}) {
            give_to(path, *run_as_);
        }
    }
    start();
}

pgbouncer::~pgbouncer() = default;

std::string pgbouncer::dsn(const std::string& database) const {
    return "host=" + dir_.path().string() + " port=" + std::to_string(port) +
           " user=postgres dbname=" + database;
}

void pgbouncer::start() {
    process_options bouncer{program(), {(dir_.path() / "pgbouncer.ini").string()}};
    bouncer.run_as = run_as_;
    bouncer.working_dir = dir_.path();
    server_ = std::make_unique<process>(bouncer);
    const auto ready = [&] {
        return PQping(dsn("pgbouncer").c_str()) == PQPING_OK;
    };
    if (!wait_until(ready)) {
        throw std::runtime_error{"pgbouncer did not start; hint: apt-get install pgbouncer\n" +
                                 server_->output() + server_->errors()};
    }
}

void pgbouncer::kill() {
    server_->kill();
    // It takes a socket that is still there for that of a running one.
    std::filesystem::remove(dir_.path() / (".s.PGSQL." + std::to_string(port)));
}

}  // namespace test
