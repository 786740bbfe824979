// Frees seats whose reservation has run out: a schedule per tenant, none of whose runs overlaps the
// one before. Takes the cron expression as argument (default every five minutes) and ends when each
// tenant's cleanup has run once.
// [cleanup]
#include <libqueue/libqueue.hpp>

#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <semaphore>
#include <string>

namespace {

struct cleanup {
    static constexpr libqueue::kind_name kind{"example.reservations.cleanup"};
    int batch = 500;
};

std::counting_semaphore<> cleaned{0};

using connection_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string dsn() {
    const char* given = std::getenv("DATABASE_URL");
    return given != nullptr ? given : "";
}

result_ptr run(PGconn* on, const char* sql, std::initializer_list<const char*> values = {}) {
    return {PQexecParams(on, sql, static_cast<int>(values.size()), nullptr, values.begin(), nullptr,
                         nullptr, 0),
            PQclear};
}

// At once safe to repeat: what has been freed is not found again.
libqueue::outcome free_seats(const cleanup& job, libqueue::job_context& context) {
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    const std::string tenant = context.job().tenant_id.value_or("");
    const std::string batch = std::to_string(job.batch);
    const result_ptr freed =
        run(connection.get(),
            "DELETE FROM example_reservation WHERE ctid = ANY (ARRAY("
            "SELECT ctid FROM example_reservation WHERE tenant_id = $1 AND held_until <= now() "
            "ORDER BY held_until LIMIT $2 FOR UPDATE SKIP LOCKED))",
            {tenant.c_str(), batch.c_str()});
    if (PQresultStatus(freed.get()) != PGRES_COMMAND_OK) {
        return libqueue::retry(PQerrorMessage(connection.get()));
    }
    return libqueue::completed("{\"freed\": " + std::string{PQcmdTuples(freed.get())} + "}");
}

constexpr std::array tenants{"0b5f7a52-8d1f-4a57-9c4e-3f1f0d7a9b11",
                             "c1d2e3f4-8d1f-4a57-9c4e-3f1f0d7a9b22"};

void set_schedules(libqueue::client& on, const std::string& cron) {
    libqueue::schedules schedules{on};
    for (const char* tenant : tenants) {
        libqueue::new_schedule wanted{"reservations.cleanup", cron,
                                      libqueue::to_job(cleanup{}).for_tenant(tenant)};
        wanted.in_zone("Europe/Berlin").without_overlap();
        // What a night's outage left behind is one cleanup's work.
        wanted.on_misfire(libqueue::misfire::collapse);
        schedules.set(wanted).value();  // At every start: it changes nothing that is as it was.
    }
}
// [cleanup]

void reserve_some_seats() {
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    run(connection.get(), "SET client_min_messages = warning");
    run(connection.get(),
        "CREATE TABLE IF NOT EXISTS example_reservation (tenant_id uuid NOT NULL, "
        "seat integer NOT NULL, held_until timestamptz NOT NULL)");
    for (const char* tenant : tenants) {
        run(connection.get(),
            "INSERT INTO example_reservation SELECT $1, n, now() + n * interval '1 minute' "
            "FROM generate_series(-3, 2) n",
            {tenant});
    }
}

}  // namespace

int main(int argc, char** argv) {
    reserve_some_seats();
    libqueue::worker_options options;
    options.dsn = dsn();
    options.queues.emplace_back("default", 4);
    libqueue::worker worker{
        options, {libqueue::handle<cleanup>([](const cleanup& job, libqueue::job_context& context) {
            auto said = free_seats(job, context);
            cleaned.release();
            return said;
        })}};
    worker.start();
    libqueue::client client{libqueue::client_options{options.dsn}};
    set_schedules(client, argc > 1 ? argv[1] : "*/5 * * * *");
    for (std::size_t left = tenants.size(); left > 0; --left) {
        cleaned.acquire();
    }
    libqueue::schedules schedules{client};
    for (const char* tenant : tenants) {
        schedules.remove("reservations.cleanup", tenant).value();
    }
    worker.stop();
}
