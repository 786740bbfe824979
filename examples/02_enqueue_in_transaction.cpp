// A job that exists exactly when the business transaction commits: on the caller's own libpq
// connection, beside the caller's own writes.
#include <libqueue/libqueue.hpp>

#include <libpq-fe.h>

#include <cstdlib>
#include <iostream>
#include <memory>

namespace {

bool run(PGconn* connection, const char* sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer{PQexec(connection, sql), PQclear};
    const ExecStatusType status = PQresultStatus(answer.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

int main() {
    const char* dsn = std::getenv("DATABASE_URL");
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{
        PQconnectdb(dsn != nullptr ? dsn : ""), PQfinish};
    PGconn* const tx = connection.get();
    run(tx, "SET client_min_messages = warning");
    if (!run(tx,
             "CREATE TABLE IF NOT EXISTS example_order (id bigint GENERATED ALWAYS AS IDENTITY,"
             " customer text NOT NULL)")) {
        std::cerr << PQerrorMessage(tx);
        return 1;
    }
    run(tx, "BEGIN");
    run(tx, "INSERT INTO example_order (customer) VALUES ('ada')");
    libqueue::new_job job{"debug.echo", R"({"order": "ada"})"};
    job.tag("example").run_in(std::chrono::milliseconds{100});
    const auto enqueued = libqueue::enqueue(tx, job);
    if (enqueued.has_error()) {
        std::cerr << enqueued.error().message << '\n';
        run(tx, "ROLLBACK");
        return 1;
    }
    run(tx, "COMMIT");
    std::cout << enqueued->id << '\n';
}
