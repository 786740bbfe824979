#include "event_log.hpp"

#include "support/query.hpp"

namespace faults {

namespace {

constexpr const char* tables = R"(
CREATE SCHEMA audit;
CREATE SEQUENCE audit.event_seq;
CREATE TABLE audit.event (
    seq bigint NOT NULL DEFAULT nextval('audit.event_seq'),
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    what int NOT NULL,
    job_id bigint, lease_id bigint, worker_id bigint, attempt int,
    due timestamptz, fenced boolean, suspect boolean, word text);
)";

using of = table_event::of;

// A trigger that runs once per statement and writes down what `rows` selects.
std::string watch(const std::string& table, const std::string& verb, const std::string& columns,
                  const std::string& rows) {
    const std::string name = "audit.on_" + table + "_" + verb;
    std::string transition;
    if (verb != "DELETE") {
        transition += " NEW TABLE AS n";
    }
    if (verb != "INSERT") {
        transition += " OLD TABLE AS o";
    }
    return "CREATE FUNCTION " + name +
           "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO "
           "audit.event (what, " +
           columns + ") " + rows + "; RETURN NULL; END $$;\nCREATE TRIGGER audit_" + verb +
           " AFTER " + verb + " ON queue." + table + " REFERENCING" + transition +
           " FOR EACH STATEMENT EXECUTE FUNCTION " + name + "();\n";
}

std::string number(of what) {
    return std::to_string(static_cast<int>(what));
}

std::string watch_jobs_and_lines() {
    const std::string place = "job_id, due, attempt, suspect";
    const auto places = [](of what, const std::string& from) {
        return "SELECT " + number(what) + ", r.id, r.run_at, r.attempt, r.line_id < 0 FROM " +
               from + " r";
    };
    return watch("job", "INSERT", "job_id", "SELECT " + number(of::born) + ", n.id FROM n") +
           watch("job", "DELETE", "job_id", "SELECT " + number(of::unborn) + ", o.id FROM o") +
           watch("ready", "INSERT", place, places(of::lined, "n")) +
           watch("ready", "DELETE", place, places(of::unlined, "o")) +
           watch("ready", "UPDATE", place, places(of::line_rewritten, "n"));
}

std::string watch_leases() {
    const std::string columns = "job_id, lease_id, worker_id";
    const auto jobs = [](of what, const std::string& from) {
        return "SELECT " + number(what) + ", t.job_id, s.id, s.worker_id FROM " + from +
               " s CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)";
    };
    const std::string same =
        " x WHERE x.id = s.id AND x.worker_id = s.worker_id "
        "AND t.job_id = ANY (x.job_ids))";
    return watch("lease", "INSERT", columns, jobs(of::leased, "n")) +
           watch("lease", "DELETE", columns, jobs(of::unleased, "o")) +
           watch("lease", "UPDATE", columns,
                 jobs(of::unleased, "o") + " WHERE NOT EXISTS (SELECT FROM n" + same +
                     " UNION ALL " + jobs(of::leased, "n") + " WHERE NOT EXISTS (SELECT FROM o" +
                     same);
}

std::string watch_ends() {
    return watch("attempt", "INSERT", "job_id, lease_id, worker_id, attempt, due, word, fenced",
                 "SELECT " + number(of::ended) +
                     ", n.job_id, n.lease_id, n.worker_id, n.attempt, n.next_run_at, "
                     "n.outcome::text, n.worker_id IS NULL OR EXISTS (SELECT FROM queue.lease s "
                     "WHERE s.id = n.lease_id AND s.worker_id = n.worker_id "
                     "AND n.job_id = ANY (s.job_ids)) FROM n") +
           watch("attempt", "UPDATE", "job_id, lease_id",
                 "SELECT " + number(of::history_changed) + ", n.job_id, n.lease_id FROM n") +
           watch("attempt", "DELETE", "job_id, lease_id",
                 "SELECT " + number(of::history_changed) + ", o.job_id, o.lease_id FROM o") +
           watch("dead_letter", "INSERT", "job_id",
                 "SELECT " + number(of::buried) + ", n.job_id FROM n") +
           watch("dead_letter", "DELETE", "job_id",
                 "SELECT " + number(of::exhumed) + ", o.job_id FROM o") +
           watch("worker", "DELETE", "worker_id, word, attempt, fenced",
                 "SELECT " + number(of::worker_gone) +
                     ", o.id, current_setting('application_name'), "
                     "least(1000000, extract(epoch FROM clock_timestamp() - o.beat_at) * 1000), "
                     "o.ended IS NOT NULL FROM o");
}

std::int64_t number_of(const test::field& from) {
    return from ? std::stoll(*from) : 0;
}

std::vector<table_event> read(const std::string& dsn, const std::string& rest,
                              const test::parameters& values) {
    std::vector<table_event> events;
    for (const auto& row :
         test::rows(dsn,
                    "SELECT what, xid, job_id, lease_id, worker_id, attempt, "
                    "(extract(epoch FROM at) * 1000000)::bigint, "
                    "(extract(epoch FROM due) * 1000000)::bigint, fenced, suspect, word "
                    "FROM audit.event " +
                        rest,
                    values)) {
        table_event event;
        event.what = static_cast<of>(number_of(row[0]));
        event.transaction = number_of(row[1]);
        event.job = number_of(row[2]);
        event.lease = number_of(row[3]);
        event.worker = number_of(row[4]);
        event.attempt = static_cast<int>(number_of(row[5]));
        event.at_us = number_of(row[6]);
        event.due_us = number_of(row[7]);
        event.fenced = row[8] == "t";
        event.suspect = row[9] == "t";
        event.word = row[10].value_or("");
        events.push_back(std::move(event));
    }
    return events;
}

}  // namespace

void install_event_log(const std::string& dsn) {
    test::execute(dsn, tables);
    test::execute(dsn, watch_jobs_and_lines() + watch_leases() + watch_ends());
}

std::vector<table_event> read_events(const std::string& dsn, std::int64_t from,
                                     std::int64_t below) {
    test::execute(dsn, "CREATE INDEX IF NOT EXISTS event_job_idx ON audit.event (job_id, seq)");
    return read(dsn, "WHERE job_id >= $1::bigint AND job_id < $2::bigint ORDER BY job_id, seq",
                {std::to_string(from), std::to_string(below)});
}

std::vector<table_event> read_gone_workers(const std::string& dsn) {
    return read(dsn, "WHERE what = $1::int ORDER BY seq", {number(of::worker_gone)});
}

}  // namespace faults
