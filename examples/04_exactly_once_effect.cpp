// A handler whose business write cannot be done twice: it asserts its lease in the transaction of
// the write, so the commit of a worker that lost the job fails, and keys the write by the job.
#include <libqueue/libqueue.hpp>

#include <libpq-fe.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <semaphore>

namespace {

std::binary_semaphore handled{0};

struct credit {
    static constexpr libqueue::kind_name kind{"example.credit"};
    std::string account;
    int cents = 0;
};

using connection_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;

connection_ptr connect() {
    const char* dsn = std::getenv("DATABASE_URL");
    return {PQconnectdb(dsn != nullptr ? dsn : ""), PQfinish};
}

bool run(PGconn* on, const std::string& sql, std::initializer_list<const char*> values = {}) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer{
        PQexecParams(on, sql.c_str(), static_cast<int>(values.size()), nullptr, values.begin(),
                     nullptr, nullptr, 0),
        PQclear};
    const ExecStatusType status = PQresultStatus(answer.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

libqueue::outcome apply(const credit& job, libqueue::job_context& context) {
    const connection_ptr connection = connect();
    PGconn* const tx = connection.get();
    const std::string key = context.idempotency_key();
    const std::string cents = std::to_string(job.cents);
    if (!run(tx, "BEGIN")) {
        return libqueue::retry(PQerrorMessage(tx));
    }
    // From here to COMMIT nobody can take the job away.
    if (libqueue::assert_lease(tx, context.job()).has_error()) {
        return libqueue::retry("the lease is lost");  // Not recorded: the job is another's.
    }
    const bool written = run(tx,
                             "INSERT INTO example_credit (key, account, cents) VALUES ($1, $2, $3)"
                             " ON CONFLICT (key) DO NOTHING",
                             {key.c_str(), job.account.c_str(), cents.c_str()});
    if (!written || !run(tx, "COMMIT")) {
        return libqueue::retry(PQerrorMessage(tx));
    }
    handled.release();
    return libqueue::completed();
}

}  // namespace

int main() {
    const char* dsn = std::getenv("DATABASE_URL");
    const connection_ptr connection = connect();
    run(connection.get(), "SET client_min_messages = warning");
    run(connection.get(),
        "CREATE TABLE IF NOT EXISTS example_credit (key text PRIMARY KEY,"
        " account text NOT NULL, cents integer NOT NULL)");
    libqueue::worker_options options;
    options.dsn = dsn != nullptr ? dsn : "";
    options.queues.emplace_back("default", 4);
    libqueue::worker worker{options, {libqueue::handle<credit>(apply)}};
    worker.start();
    libqueue::client client{libqueue::client_options{options.dsn}};
    const auto enqueued = client.enqueue(libqueue::to_job(credit{"ada", 500}));
    std::cout << enqueued.value().id << '\n';
    handled.acquire();
    const auto done = client.wait(enqueued->id, std::chrono::seconds{10});
    worker.stop();
    std::cout << libqueue::to_string(done.value().state) << '\n';
}
