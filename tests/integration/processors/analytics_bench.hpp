#pragma once

#include "processors/analytics/processor.hpp"
#include "support/http_receiver.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace test {

inline constexpr const char* no_tenant = "00000000-0000-0000-0000-000000000000";

/// A database with the tables of analytics and, once started, a worker that counts.
class analytics_bench {
   public:
    analytics_bench() {
        libqueue::migrate_options options;
        options.dsn = db.dsn();
        const std::vector<libqueue::migration_set> sets{
            libqueue::processors::analytics::migrations()};
        libqueue::migrate(options, sets).value();
        // Jobs of the clock's making would come and go between those of the test.
        db.execute("SELECT queue.pause_schedule(name) FROM queue.schedules");
    }

    void start() { worker_.start(); }

    [[nodiscard]] libqueue::job_id enqueue(const std::string& kind, const std::string& payload,
                                           const std::string& tenant = {}) {
        libqueue::new_job job{kind, payload};
        return client_
            .enqueue(tenant.empty() ? job.attempts(3) : job.attempts(3).for_tenant(tenant))
            .value()
            .id;
    }
    [[nodiscard]] libqueue::job_info finished(libqueue::job_id id) {
        return client_.wait(id, std::chrono::seconds{30}).value();
    }
    [[nodiscard]] libqueue::job_info run(const std::string& kind, const std::string& payload,
                                         const std::string& tenant = {}) {
        return finished(enqueue(kind, payload, tenant));
    }
    /// Events counted in the buckets of a size.
    [[nodiscard]] std::string counted(int minutes = 1440) const {
        return db.query(
            "SELECT coalesce(sum(events), 0) FROM analytics.bucket WHERE minutes = $1::smallint",
            {std::to_string(minutes)});
    }

    test_database db;
    http_receiver slack;

   private:
    std::vector<libqueue::registration> kinds() const {
        libqueue::processors::analytics::options given;
        given.customer_key = libqueue::processors::secret{std::string(32, 'k')};
        given.slack_url = libqueue::processors::secret{slack.url("/services/T0/B0/secret")};
        given.slack_allow_private = true;
        auto all = libqueue::processors::analytics::make_registrations(std::move(given));
        for (auto& kind : all) {
            kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed,
                                                        std::chrono::milliseconds{10},
                                                        std::chrono::milliseconds{10}, false};
        }
        return all;
    }
    libqueue::worker_options options() const {
        libqueue::worker_options made;
        made.dsn = db.dsn();
        made.queues.emplace_back("default", 50);
        made.migration_sets.push_back(libqueue::processors::analytics::migrations());
        return made;
    }

    libqueue::client client_{libqueue::client_options{db.dsn()}};
    libqueue::worker worker_{options(), kinds()};
};

}  // namespace test
