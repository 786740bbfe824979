#include "bench/measurements.hpp"

#include <array>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr const char* claim =
    "DELETE FROM line WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM line ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)) RETURNING id, payload";

void fill(session& db, std::int64_t jobs) {
    db.exec("CREATE TABLE line (id bigint PRIMARY KEY, payload jsonb NOT NULL)");
    (void)checked(db.raw(), PQexec(db.raw(), "COPY line FROM STDIN"));
    std::string text;
    for (std::int64_t id = 1; id <= jobs; ++id) {
        text = std::to_string(id) + '\t' + payload(id) + '\n';
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
                bytes_ += PQgetlength(batch.get(), row, 0) + PQgetlength(batch.get(), row, 1);
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
        db.exec("VACUUM ANALYZE line");
        db.exec("CHECKPOINT");
    } else {
        db.exec("ANALYZE line");
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
