#include "pg/connection.hpp"
#include "pg/migrator.hpp"
#include "pg/schema_name.hpp"
#include "store/schema_drift.hpp"
#include "store/server_check.hpp"

#include <libqueue/doctor.hpp>
#include <sql/doctor_autovacuum.hpp>
#include <sql/doctor_clock.hpp>
#include <sql/doctor_connections.hpp>
#include <sql/doctor_dead_letters.hpp>
#include <sql/doctor_limits.hpp>
#include <sql/doctor_prepared.hpp>
#include <sql/doctor_queues.hpp>
#include <sql/doctor_rights.hpp>
#include <sql/doctor_schedules.hpp>
#include <sql/doctor_slots.hpp>
#include <sql/doctor_transactions.hpp>
#include <sql/doctor_workers.hpp>
#include <sql/doctor_writable.hpp>
#include <sql/list_schema_objects.hpp>
#include <sql/list_unhandled_kinds.hpp>
#include <sql/schema.hpp>

#include <algorithm>

namespace libqueue {
namespace {

using std::chrono::microseconds;

constexpr const char* application_name{"libqueue doctor"};
constexpr std::chrono::milliseconds doorbell_patience{2'000};
/// Leases and retries are timed by the server; people compare its times with their own.
constexpr microseconds skew_most{1'000'000};
constexpr std::size_t drift_most{20};

severity parse_severity(std::string_view text) noexcept {
    if (text == "error") {
        return severity::error;
    }
    return text == "warning" ? severity::warning : severity::note;
}

std::string seconds_text(microseconds time) {
    const auto tenths = (time.count() + 50'000) / 100'000;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string switch_on(const std::string& setting) {
    return "psql -c 'ALTER SYSTEM SET " + setting + " = on' -c 'SELECT pg_reload_conf()'";
}

class examination {
   public:
    explicit examination(const doctor_options& options)
        : options_{options}, on_{options.dsn, application_name, options.connect_timeout} {
        if (options.statement_timeout.count() > 0) {
            on_.exec("SET statement_timeout = " +
                     std::to_string(options.statement_timeout.count()));
        }
    }

    std::vector<finding> run() {
        check("connection", [this] { ask(sql::doctor_writable); });
        check("rights", [this] { ask(sql::doctor_rights); });
        const bool installed = check("schema", [this] { schema(); });
        check("clock", [this] { clock(); });
        check("transactions", [this] { ask(sql::doctor_transactions, true); });
        check("transactions", [this] { ask(sql::doctor_prepared, true); });
        check("replication", [this] { ask(sql::doctor_slots); });
        check("connections", [this] { ask(sql::doctor_connections); });
        check("doorbell", [this] { doorbell(); });
        if (installed && installed_) {
            check("durability", [this] { server(); });
            check("autovacuum", [this] { ask(sql::doctor_autovacuum); });
            check("workers", [this] { ask(sql::doctor_workers); });
            check("kinds", [this] { kinds(); });
            check("queues", [this] { ask(sql::doctor_queues); });
            check("limits", [this] { ask(sql::doctor_limits); });
            check("schedules", [this] { ask(sql::doctor_schedules); });
            check("dead_letters", [this] { ask(sql::doctor_dead_letters); });
        }
        std::ranges::stable_sort(found_, {}, &finding::level);
        return std::move(found_);
    }

   private:
    /// False when the check itself failed.
    template <typename Work>
    bool check(const char* name, Work work) {
        name_ = name;
        try {
            work();
            return true;
        } catch (const pg::sql_failure& why) {
            if (why.poisons_connection()) {
                throw;
            }
            const bool refused = why.sqlstate() == "42501";
            add(refused ? severity::note : severity::warning,
                std::string{"this could not be looked at: "} + why.what(),
                refused ? "look with a role that may" : "see the server's log");
        }
        return false;
    }

    void add(severity level, std::string found, std::string cure) {
        found_.emplace_back(level, name_, std::move(found), std::move(cure));
    }

    /// A statement whose rows are findings.
    void ask(std::string_view statement, bool takes_age = false) {
        pg::params age;
        if (takes_age) {
            age.text(
                std::to_string(std::chrono::duration<double>(options_.old_transaction).count()));
        }
        const pg::result rows = on_.exec(pg::with_schema(statement, options_.schema), age);
        for (int row = 0; row < rows.rows(); ++row) {
            add(parse_severity(rows.text(row, 0)), std::string{rows.text(row, 1)},
                std::string{rows.text(row, 2)});
        }
    }

    void schema() {
        const auto state = pg::migrator{on_, options_.schema}.state();
        const auto pending = std::ranges::count(state, false, &migration_status::applied);
        installed_ = pending < static_cast<std::ptrdiff_t>(state.size());
        if (pending > 0) {
            add(severity::error,
                installed_ ? std::to_string(pending) + " migrations are pending"
                           : "there is no queue in schema " + options_.schema,
                "qctl migrate up");
        }
        bool newer = false;
        for (const migration_status& each : state) {
            newer = newer || each.unknown;
            const std::string title = "migration " + std::to_string(each.number) + " " + each.name;
            if (!each.checksum_ok) {
                add(severity::error, title + " was altered after it was written",
                    "use the build that applied it: qctl migrate verify");
            } else if (each.unknown && each.breaking) {
                add(severity::error, title + " is breaking, and unknown to this build",
                    "upgrade this program");
            }
        }
        // Of a schema in between, or of a newer one, this build does not know how it should look.
        if (pending == 0 && !newer) {
            drift();
        }
    }

    void drift() {
        const std::string dump = pg::with_schema(sql::schema, options_.schema);
        std::vector<store::schema_object> live;
        const pg::result rows =
            on_.exec(pg::with_schema(sql::list_schema_objects, options_.schema));
        for (int row = 0; row < rows.rows(); ++row) {
            live.emplace_back(std::string{rows.text(row, 0)}, std::string{rows.text(row, 1)},
                              std::string{rows.text(row, 2)});
        }
        auto drift = store::find_drift(store::read_schema_dump(dump, options_.schema), live);
        if (drift.size() > drift_most) {
            const auto more = drift.size() - drift_most;
            drift.resize(drift_most);
            drift.push_back(std::to_string(more) + " more differ");
        }
        for (std::string& each : drift) {
            add(severity::error, std::move(each), "qctl migrate sql prints how it should be");
        }
    }

    void server() {
        const store::server_facts facts = store::read_server_facts(on_, options_.schema);
        const auto off = [&](bool is_on, const std::string& name, const char* harm) {
            if (!is_on) {
                add(facts.allow_unsafe_durability ? severity::note : severity::error,
                    name + " = off: " + harm, switch_on(name));
            }
        };
        off(facts.fsync, "fsync", "a crash of the machine loses acknowledged jobs");
        off(facts.full_page_writes, "full_page_writes",
            "a crash of the machine corrupts what was written");
        if (!facts.commit_waits) {
            add(severity::warning,
                "synchronous_commit = off: a crash of the server loses acknowledged jobs",
                switch_on("synchronous_commit"));
        }
        if (!facts.is_here || !facts.is_original) {
            add(facts.is_here ? severity::warning : severity::error,
                "this is a copy of another database (" + facts.recorded + ", here " + facts.actual +
                    "): workers " + (facts.is_here ? "warn of it" : "refuse it"),
                "qctl migrate adopt, if it is meant to run its jobs");
        }
    }

    void clock() {
        const auto before = std::chrono::system_clock::now();
        const pg::result row = on_.exec(sql::doctor_clock);
        const auto after = std::chrono::system_clock::now();
        const std::chrono::system_clock::time_point server{microseconds{row.int64(0, 0)}};
        // Within the time the question took, nobody knows better.
        const bool ahead = server > after;
        const auto skew =
            std::chrono::duration_cast<microseconds>(ahead ? server - after : before - server);
        if (skew > skew_most) {
            add(severity::warning,
                "the server's clock is " + seconds_text(skew) + (ahead ? " ahead of" : " behind") +
                    " this machine's",
                "timedatectl set-ntp true, on whichever of the two is wrong");
        }
    }

    void doorbell() {
        // Two connections: through a transaction pooler a session may hear itself by chance.
        const std::string channel = "\"" + options_.schema + ".doctor\"";
        on_.exec("LISTEN " + channel);
        pg::connection other{options_.dsn, application_name, options_.connect_timeout};
        other.exec("NOTIFY " + channel);
        const bool heard = on_.wait_notification(doorbell_patience);
        on_.exec("UNLISTEN " + channel);
        if (!heard) {
            add(severity::warning,
                "notifications do not arrive on this connection: idle workers find jobs by "
                "polling only",
                "set database.listen_dsn to a connection that goes around the pooler");
        }
    }

    void kinds() {
        const pg::result rows =
            on_.exec(pg::with_schema(sql::list_unhandled_kinds, options_.schema));
        for (int row = 0; row < rows.rows(); ++row) {
            const std::string queue{rows.text(row, 0)};
            add(severity::error,
                std::string{rows.text(row, 2)} + " jobs of kind " + std::string{rows.text(row, 1)} +
                    " wait in queue " + queue + ", and no live worker handles them",
                "start a worker with that processor and queues." + queue);
        }
    }

    const doctor_options& options_;
    pg::connection on_;
    std::string name_;
    std::vector<finding> found_;
    bool installed_{false};
};

}  // namespace

std::string_view to_string(severity level) noexcept {
    switch (level) {
        case severity::error:
            return "error";
        case severity::warning:
            return "warning";
        case severity::note:
            return "note";
    }
    return "invalid";
}

std::vector<finding> examine(const doctor_options& options) {
    pg::check_schema_name(options.schema).value();
    return examination{options}.run();
}

}  // namespace libqueue
