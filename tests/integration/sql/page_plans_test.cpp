#include "support/test_database.hpp"

#include <libqueue/bulk.hpp>
#include <libqueue/client.hpp>
#include <libqueue/failures.hpp>
#include <libqueue/filter.hpp>
#include <libqueue/jobs.hpp>
#include <libqueue/overview.hpp>
#include <libqueue/run_records.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

// What a page of the dashboard or a GET of the API asks reads no large table from one end to the
// other, however much is in it: the server counts each time one is.

namespace {

/// Large enough that reading a table as a whole would be what the planner prefers.
void fill(test::connection& on) {
    on.execute(
        "SELECT count(queue.create_queue('q' || n)) FROM generate_series(1, 8) n;"
        "SELECT count(queue.enqueue(k, '{}', queue => 'q' || n)) FROM generate_series(1, 8) n, "
        "unnest(ARRAY['email.send', 'payment.charge']) k;"
        "INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, payload, meta) "
        "SELECT nextval('queue.job_id_seq'), t.at, t.at, 1 + n % 16, 4, "
        "jsonb_build_object('n', n), CASE WHEN n % 100 = 0 THEN '{\"tags\": [\"vip\"]}'::jsonb END "
        "FROM generate_series(1, 300000) n "
        "CROSS JOIN LATERAL (SELECT now() - (300000 - n) * interval '100 ms' AS at) t;"
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt, "
        "error) SELECT id, id, created_at, created_at, (CASE WHEN id % 20 = 0 THEN 'discarded' "
        "ELSE 'completed' END)::queue.attempt_outcome, 1, CASE WHEN id % 20 = 0 THEN 'boom ' || "
        "chr(65 + (id / 20 % 20)::int) END FROM queue.job WHERE id BETWEEN 17 AND 200000;"
        "INSERT INTO queue.dead_letter SELECT j.id, j.created_at, j.created_at, NULL, q.name, "
        "l.kind, 5, 4, 1, 'discarded', a.error, queue.fingerprint(l.kind, a.error), j.payload, "
        "j.meta, '[]' FROM queue.job j JOIN queue.attempt a ON a.job_id = j.id "
        "AND a.outcome = 'discarded' JOIN queue.line l ON l.id = j.line_id "
        "JOIN queue.queue q ON q.id = l.queue_id;"
        "INSERT INTO queue.ready (id, run_at, line_id, attempt) SELECT id, run_at, line_id, 0 "
        "FROM queue.job WHERE id > 200000;");
    on.execute("VACUUM ANALYZE");
}

std::string scans(test::connection& on) {
    return on.query(
        "SELECT string_agg(relname || ' ' || seq_scan, ', ' ORDER BY relname) "
        "FROM pg_stat_user_tables WHERE relname IN ('job', 'attempt', 'ready', 'dead_letter')");
}

using page = std::pair<const char*, std::function<void()>>;

libqueue::filter read(const char* text) {
    return libqueue::parse_filter(text).value();
}

/// One client asks for everything.
class asker {
   public:
    explicit asker(const std::string& dsn) : client{libqueue::client_options{dsn}} {}

    page list(const char* text) {
        return {text, [this, text] {
                    static_cast<void>(jobs.find(read(text)).value());
                }};
    }
    page letters(const char* text) {
        return {text, [this, text] {
                    static_cast<void>(failures.find(read(text)).value());
                    static_cast<void>(failures.groups(read(text)).value());
                }};
    }
    void one_job() {
        libqueue::run_records records{client};
        static_cast<void>(jobs.show(4240).value());
        static_cast<void>(jobs.explain(250'001).value());
        static_cast<void>(jobs.lineage(4240).value());
        static_cast<void>(failures.show(4240).value());
        static_cast<void>(records.log(4240));
        static_cast<void>(records.effects(4240));
        static_cast<void>(libqueue::operations{client}.attempts(4240));
    }
    void all_else() {
        libqueue::overview overview{client};
        libqueue::bulk bulk{client};
        static_cast<void>(overview.queues());
        libqueue::operations operations{client};
        static_cast<void>(operations.list_queues());
        static_cast<void>(operations.show_queue("q3").value());
        static_cast<void>(operations.unhandled_kinds());
        static_cast<void>(overview.database());
        static_cast<void>(overview.tables());
        static_cast<void>(bulk.list());
        static_cast<void>(bulk.count(libqueue::bulk_action::replay, read("error:boom")).value());
    }

    libqueue::client client;
    libqueue::jobs jobs{client};
    libqueue::failures failures{client};
};

std::vector<page> pages_of(asker& who) {
    std::vector<page> all;
    for (const char* const text :
         {"", "state:ready", "state:waiting queue:q3", "state:scheduled", "state:dead",
          "state:dead,running,retrying", "state:completed", "state:completed kind:email.*",
          "tag:vip", "args.n:777", "nowhere", "error:boom", "age:>2h",
          "created:2000-01-01..2030-01-01", "4242",
          "tenant:11111111-1111-1111-1111-111111111111"}) {
        all.push_back(who.list(text));
    }
    all.push_back(who.letters("-tag:none"));
    all.push_back(who.letters("queue:q3 error:boom"));
    all.emplace_back("one job", [&who] { who.one_job(); });
    all.emplace_back("overview", [&who] { who.all_else(); });
    return all;
}

}  // namespace

TEST_CASE("no page reads a large table as a whole, and each answers within its time") {
    const test::test_database db;
    test::connection on{db.dsn()};
    fill(on);
    asker who{db.dsn()};
    libqueue::client& client = who.client;
    for (const auto& [name, ask] : pages_of(who)) {
        CAPTURE(name);
        const auto before = scans(on);
        const auto begun = std::chrono::steady_clock::now();
        ask();
        const auto took = std::chrono::steady_clock::now() - begun;
        // A session tells what it read when it is asked to, else a while later.
        REQUIRE(
            client.query(libqueue::statement{"SELECT pg_stat_force_next_flush()", {}}).has_value());
        CHECK(scans(on) == before);
        // Loaded machines are slow; what reads it all takes longer by far.
        CHECK(took < std::chrono::seconds{5});
    }
    // The counters tell when a table was read as a whole.
    const auto before = scans(on);
    REQUIRE(client
                .query(libqueue::statement{"SELECT count(*) FROM queue.job j "
                                           "WHERE j.payload ->> 'n' = '7'",
                                           {}})
                .has_value());
    REQUIRE(client.query(libqueue::statement{"SELECT pg_stat_force_next_flush()", {}}).has_value());
    CHECK(scans(on) != before);
}

TEST_CASE("a page of a line reads that page, though nobody has looked at the line's statistics") {
    const test::test_database db;
    test::connection on{db.dsn()};
    // As after a large replay or import, before autovacuum comes by.
    on.execute("ALTER TABLE queue.ready SET (autovacuum_enabled = off)");
    on.execute(
        "SELECT count(*) FROM queue.enqueue_many('email.send', "
        "ARRAY(SELECT '{}'::jsonb FROM generate_series(1, 30000)))");
    const auto read_so_far = [&] {
        on.execute("SELECT pg_stat_force_next_flush()");
        return std::stoll(
            on.query("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'ready'"));
    };
    const auto before = read_so_far();
    CHECK(on.rows("SELECT id FROM queue.find_jobs('[{\"field\": \"queue\", \"any\": "
                  "[{\"eq\": \"default\"}]}, {\"field\": \"state\", \"any\": [{\"eq\": "
                  "\"ready\"}]}]') WHERE id IS NOT NULL")
              .size() == 50);
    CHECK(read_so_far() - before < 3000);
}
