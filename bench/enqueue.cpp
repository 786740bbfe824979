#include "bench/backlog.hpp"
#include "bench/measurements.hpp"

#include <functional>
#include <map>
#include <stdexcept>

namespace bench {
namespace {

constexpr int default_priority = 5;

/// A PostgreSQL array literal of JSON texts.
std::string array_literal(std::int64_t from, std::int64_t count) {
    std::string text = "{";
    for (std::int64_t number = from; number < from + count; ++number) {
        text += number == from ? "\"" : ",\"";
        for (const char each : payload(number)) {
            if (each == '"' || each == '\\') {
                text += '\\';
            }
            text += each;
        }
        text += '"';
    }
    return text + '}';
}

void put(PGconn* connection, const std::string& text) {
    if (PQputCopyData(connection, text.data(), static_cast<int>(text.size())) != 1) {
        throw std::runtime_error{PQerrorMessage(connection)};
    }
}

/// Rows of the job table's columns and width.
void put_rows(PGconn* connection, std::int64_t from, std::int64_t count) {
    std::string text;
    for (std::int64_t number = from; number < from + count; ++number) {
        text += std::to_string(number);
        text += "\t2025-01-01 12:00:00.123456+00\t2025-01-01 12:00:00.123456+00\t1\t4\t\\N\t";
        text += payload(number);
        text += "\t\\N\n";
    }
    put(connection, text);
}

void begin_copy(PGconn* connection) {
    (void)checked(connection, PQexec(connection,
                                     "COPY bare_job (id, created_at, run_at, line_id, "
                                     "max_attempts, tenant_id, payload, meta) FROM STDIN"));
}

void end_copy(PGconn* connection) {
    PQputCopyEnd(connection, nullptr);
    (void)checked(connection, PQgetResult(connection));
    (void)PQgetResult(connection);
}

void by_sql(session& db, const std::string&, std::int64_t jobs) {
    db.prepare("enqueue_many", "SELECT queue.enqueue_many($1, $2::jsonb[])");
    for (std::int64_t from = 0; from < jobs; from += batch_size) {
        const std::string payloads = array_literal(from, batch_size);
        (void)db.run("enqueue_many", {kind, payloads.c_str()});
    }
}

void by_client(session&, const std::string& dsn, std::int64_t jobs) {
    libqueue::client producer{libqueue::client_options{dsn}};
    for (std::int64_t from = 0; from < jobs; from += batch_size) {
        enqueue_batch(producer, from, batch_size, default_priority);
    }
}

/// One COPY for all: PostgreSQL's own limit.
void by_copy(session& db, const std::string&, std::int64_t jobs) {
    begin_copy(db.raw());
    for (std::int64_t from = 0; from < jobs; from += batch_size) {
        put_rows(db.raw(), from, batch_size);
    }
    end_copy(db.raw());
}

/// A COPY and commit for each thousand.
void by_copy_batches(session& db, const std::string&, std::int64_t jobs) {
    for (std::int64_t from = 0; from < jobs; from += batch_size) {
        begin_copy(db.raw());
        put_rows(db.raw(), from, batch_size);
        end_copy(db.raw());
    }
}

using way = void (*)(session&, const std::string&, std::int64_t);
const std::map<std::string, way>& ways() {
    static const std::map<std::string, way> all{{"sql", &by_sql},
                                                {"client", &by_client},
                                                {"copy", &by_copy},
                                                {"copy_batches", &by_copy_batches}};
    return all;
}

}  // namespace

boost::json::object enqueue(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::string how = given.text("how");
    const std::int64_t jobs = given.number("jobs") / batch_size * batch_size;
    install_queue(dsn);
    session db{dsn};
    db.exec("CREATE TABLE IF NOT EXISTS bare_job (LIKE queue.job, PRIMARY KEY (id))");
    db.exec("TRUNCATE bare_job");
    db.exec("CHECKPOINT");
    const std::int64_t before = db.number("SELECT count(*) FROM queue.job");
    const auto begin = clock::now();
    ways().at(how)(db, dsn, jobs);
    const double seconds = seconds_between(begin, clock::now());
    const std::int64_t stored =
        db.number(how.starts_with("copy") ? "SELECT count(*) FROM bare_job"
                                          : "SELECT count(*) FROM queue.job") -
        (how.starts_with("copy") ? 0 : before);
    if (stored != jobs) {
        throw std::runtime_error{"expected " + std::to_string(jobs) + " rows, got " +
                                 std::to_string(stored)};
    }
    boost::json::object made;
    made["jobs"] = jobs;
    made["seconds"] = seconds;
    made["per_second"] = static_cast<double>(jobs) / seconds;
    return made;
}

}  // namespace bench
