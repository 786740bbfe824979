#pragma once

#include "processors/email/processor.hpp"
#include "support/recording_observer.hpp"
#include "support/smtp_server.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// Workers that send mails to a server of the test's, with a database of their own.
class mail_bench {
   public:
    explicit mail_bench(const smtp_server_options& server = {}) : mail{server} {
        options.port = mail.port();
        options.tls = libqueue::processors::email::tls_mode::none;
        options.from = "Shop <shop@example.test>";
    }

    /// Before the first job; the stores exist when it returns.
    void start(int workers = 1) {
        libqueue::migrate_options migration;
        migration.dsn = database.dsn();
        libqueue::migrate(migration, libqueue::processors::email::migration_sets()).value();
        for (int i = 0; i < workers; ++i) {
            auto kinds = libqueue::processors::email::make_registrations(options);
            for (auto& kind : kinds) {
                using std::chrono_literals::operator""ms;
                kind.options.retry =
                    libqueue::retry_policy{libqueue::backoff_strategy::fixed, 10ms, 10ms, false};
            }
            libqueue::worker_options made;
            made.dsn = database.dsn();
            made.queues.emplace_back("default", 8);
            made.observer = &observer;
            made.poll_interval = std::chrono::milliseconds{100};
            made.migration_sets = libqueue::processors::email::migration_sets();
            workers_.push_back(std::make_unique<libqueue::worker>(made, std::move(kinds)));
            workers_.back()->start();
        }
    }

    libqueue::job_id enqueue(const std::string& payload, const std::string& tenant = {}) {
        libqueue::new_job job{"email.send", payload};
        if (!tenant.empty()) {
            job.for_tenant(tenant);
        }
        return client_.enqueue(job.attempts(3)).value().id;
    }
    libqueue::job_info finished(libqueue::job_id id) {
        return client_.wait(id, std::chrono::seconds{20}).value();
    }
    libqueue::job_info send(const std::string& payload, const std::string& tenant = {}) {
        return finished(enqueue(payload, tenant));
    }

    libqueue::processors::email::options options{"127.0.0.1"};
    test_database database;
    smtp_server mail;
    recording_observer observer;

   private:
    libqueue::client client_{libqueue::client_options{database.dsn()}};
    std::vector<std::unique_ptr<libqueue::worker>> workers_;
};

}  // namespace test
