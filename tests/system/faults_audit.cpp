#include "faults_producer.hpp"
#include "support/query.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace faults {

namespace {

using namespace std::chrono_literals;

// The lease (1 s), the sweep after it, a lease whose owner never learnt of it (1 s more), and a
// machine that does other things besides.
constexpr auto settle_time = 45s;

std::string array_of(const std::vector<std::int64_t>& ids) {
    std::string text{"{"};
    for (const auto id : ids) {
        text += (text.size() > 1 ? "," : "") + std::to_string(id);
    }
    return text + "}";
}

std::string unfinished_sql() {
    return "SELECT count(*) FROM queue.job j WHERE NOT EXISTS (SELECT 1 FROM queue.attempt a "
           "WHERE a.job_id = j.id AND a.outcome = 'completed')";
}

void audit_keys(test::connection& db, const journal& promised) {
    if (promised.keys.empty()) {
        return;
    }
    // Without a job of its own for each key, some enqueue counted twice or not at all.
    CHECK(db.query("SELECT count(*) FROM queue.job") == std::to_string(promised.keys.size()));
    CHECK(db.query("SELECT count(DISTINCT j.meta->>'idempotency_key') FROM queue.job j") ==
          std::to_string(promised.keys.size()));
    std::size_t wrong = 0;
    for (const auto& row : db.rows("SELECT i.key, i.job_id FROM queue.idempotency i")) {
        const auto known = promised.keys.find(row.at(0).value());
        const bool right =
            known != promised.keys.end() && std::to_string(known->second) == row.at(1).value();
        wrong += right ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(db.query("SELECT count(*) FROM queue.idempotency") ==
          std::to_string(promised.keys.size()));
}

}  // namespace

// Every acknowledged job exists and is completed; none was completed twice; nothing else is there:
// no lease, no place in line, no dead letter; a key has exactly one job.
void audit(const std::string& dsn, const journal& promised) {
    REQUIRE_MESSAGE(promised.refused.empty(), promised.refused);
    REQUIRE_FALSE(promised.ids.empty());
    test::connection db{dsn};
    CHECK(test::wait_until(
        [&] {
            return db.query(unfinished_sql()) == "0" &&
                   db.query("SELECT count(*) FROM queue.lease") == "0";
        },
        settle_time));

    const auto ids = array_of(promised.ids);
    CHECK(db.query("SELECT count(*) FROM unnest($1::bigint[]) p(id) "
                   "WHERE NOT EXISTS (SELECT 1 FROM queue.job j WHERE j.id = p.id)",
                   {ids}) == "0");
    CHECK(db.query("SELECT count(*) FROM unnest($1::bigint[]) p(id) "
                   "WHERE NOT EXISTS (SELECT 1 FROM queue.jobs s "
                   "WHERE s.id = p.id AND s.state = 'completed')",
                   {ids}) == "0");
    CHECK(db.query(unfinished_sql()) == "0");
    CHECK(db.query("SELECT count(*) FROM (SELECT a.job_id FROM queue.attempt a "
                   "WHERE a.outcome = 'completed' GROUP BY a.job_id HAVING count(*) > 1) d") ==
          "0");
    CHECK(db.query("SELECT count(*) FROM queue.lease") == "0");
    CHECK(db.query("SELECT count(*) FROM queue.ready") == "0");
    CHECK(db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    audit_keys(db, promised);
    const auto lost = db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'");
    const auto all = db.query("SELECT count(*) FROM queue.attempt");
    MESSAGE("audited " << promised.ids.size() << " acknowledged jobs: " << all << " attempts, "
                       << lost << " lost, " << promised.repeats << " enqueues repeated");
}

}  // namespace faults
