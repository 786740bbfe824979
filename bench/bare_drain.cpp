#include "bench/measurements.hpp"

#include <array>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

// The columns of queue.job, taken in the order a queue serves them.
constexpr const char* create =
    "CREATE TABLE bare_line (id bigint NOT NULL, created_at timestamptz NOT NULL, "
    "run_at timestamptz NOT NULL, line_id int NOT NULL, max_attempts smallint NOT NULL, "
    "tenant_id uuid, payload jsonb NOT NULL, meta jsonb, PRIMARY KEY (line_id, run_at, id))";
constexpr const char* claim =
    "DELETE FROM bare_line WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM bare_line WHERE line_id = 1 AND run_at <= now() "
    "ORDER BY run_at, id LIMIT 500 FOR UPDATE SKIP LOCKED)) "
    "RETURNING id, created_at, run_at, max_attempts, tenant_id, payload, meta";

void fill(session& db, std::int64_t jobs) {
    db.exec(create);
    (void)checked(db.raw(), PQexec(db.raw(),
                                   "COPY bare_line (id, created_at, run_at, line_id, "
                                   "max_attempts, payload) FROM STDIN"));
    std::string text;
    for (std::int64_t id = 1; id <= jobs; ++id) {
        text = std::to_string(id);
        text += "\t2025-01-01 12:00:00.123456+00\t2025-01-01 12:00:00.123456+00\t1\t4\t";
        text += payload(id);
        text += '\n';
        if (PQputCopyData(db.raw(), text.data(), static_cast<int>(text.size())) != 1) {
            throw std::runtime_error{PQerrorMessage(db.raw())};
        }
    }
    PQputCopyEnd(db.raw(), nullptr);
    (void)checked(db.raw(), PQgetResult(db.raw()));
    (void)PQgetResult(db.raw());
}

/// Takes batches until the line is empty; every id and payload reaches the client.
class consumer {
   public:
    explicit consumer(const std::string& dsn) : db_{dsn} { db_.prepare("claim", claim); }

    void run() {
        while (true) {
            const rows batch = db_.run("claim");
            const int count = PQntuples(batch.get());
            if (count == 0) {
                return;
            }
            for (int row = 0; row < count; ++row) {
                bytes_ += PQgetlength(batch.get(), row, 0) + PQgetlength(batch.get(), row, 5);
            }
            taken_ += count;
        }
    }
    [[nodiscard]] std::int64_t taken() const noexcept { return taken_; }

   private:
    session db_;
    std::int64_t taken_{0};
    std::int64_t bytes_{0};
};

}  // namespace

boost::json::object bare_drain(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::int64_t jobs = given.number("jobs");
    session db{dsn};
    db.exec("CHECKPOINT");
    const std::int64_t wal_before = wal_position(db);
    fill(db, jobs);
    const std::int64_t fill_wal = wal_position(db) - wal_before;
    if (!given.flag("raw")) {
        db.exec("VACUUM ANALYZE bare_line");
        db.exec("CHECKPOINT");
    } else {
        db.exec("ANALYZE bare_line");
    }

    const std::int64_t wal_filled = wal_position(db);
    std::array<consumer, 2> consumers{consumer{dsn}, consumer{dsn}};
    const double cpu_before = cpu_seconds();
    const auto begin = clock::now();
    std::thread other{&consumer::run, &consumers[1]};
    consumers[0].run();
    other.join();
    const double seconds = seconds_between(begin, clock::now());
    const std::int64_t taken = consumers[0].taken() + consumers[1].taken();
    if (taken != jobs) {
        throw std::runtime_error{"expected " + std::to_string(jobs) + " rows, got " +
                                 std::to_string(taken)};
    }
    boost::json::object made;
    made["jobs"] = jobs;
    made["seconds"] = seconds;
    made["per_second"] = static_cast<double>(jobs) / seconds;
    made["client_cpu_us"] = 1e6 * (cpu_seconds() - cpu_before) / static_cast<double>(jobs);
    made["wal_bytes"] = wal_position(db) - wal_filled + fill_wal;
    return made;
}

}  // namespace bench
