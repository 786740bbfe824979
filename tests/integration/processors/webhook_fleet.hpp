#pragma once

#include "processors/webhook/processor.hpp"
#include "support/http_receiver.hpp"
#include "support/recording_observer.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/webhook.hpp>
#include <libqueue/worker.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace test {

/// A database with the tables of webhooks, a worker that delivers, and a receiver.
class webhook_fleet {
   public:
    explicit webhook_fleet(bool guarded = false) : guarded_{guarded} { worker_.start(); }

    /// An endpoint of `tenant` at the receiver; `more` are further arguments, each with a comma
    /// before it. Returns its id.
    std::string endpoint(const std::string& more = {}, const std::string& path = "/hook") const {
        return database.query("SELECT webhooks.endpoint_create($1::uuid, $2" + more + ")",
                              {tenant, receiver.url(path)});
    }
    /// Returns how many jobs were made.
    std::string publish(const std::string& type, const std::string& id = {}) const {
        return database.query(
            "SELECT webhooks.publish($1::uuid, $2, '{\"n\": 1.50}', nullif($3, ''))",
            {tenant, type, id});
    }
    /// True once the query returns `expected`.
    bool reaches(const std::string& sql, const std::string& expected) const {
        return wait_until([&] { return database.query(sql) == expected; });
    }
    /// True once no job is left to be done.
    bool settles() const {
        return reaches("SELECT count(*) FROM queue.jobs WHERE finished_at IS NULL", "0");
    }
    /// What signs for the endpoint now, as its owner would know it: the newest key first.
    std::vector<libqueue::webhook::key> keys_of(const std::string& endpoint) const {
        const auto master = libqueue::webhook::master_key::parse(master_text).value();
        std::vector<libqueue::webhook::key> keys;
        for (const auto& one : database.rows(
                 "SELECT id, scheme FROM webhooks.signing_key WHERE endpoint_id = $1::bigint "
                 "ORDER BY created_at DESC, scheme",
                 {endpoint})) {
            const auto scheme = one.at(1).value() == "v1" ? libqueue::webhook::scheme::v1
                                                          : libqueue::webhook::scheme::v1a;
            const auto key = master.derive(std::stoll(endpoint), one.at(0).value(), scheme);
            // Through the text the owner is given, so that it is proven as well.
            keys.push_back(libqueue::webhook::key::parse(key.receiver_text()).value());
        }
        return keys;
    }
    static bool verifies(const libqueue::webhook::key& key, const http_request& request) {
        const auto id = request.header("webhook-id");
        const auto timestamp = request.header("webhook-timestamp");
        const auto signature = request.header("webhook-signature");
        const libqueue::webhook::received_headers headers{id, timestamp, signature};
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        return libqueue::webhook::verify({&key, 1}, headers, request.body, now).has_value();
    }
    void restart() {
        worker_.stop(std::chrono::seconds{5});
        worker_.start();
    }

    const std::string tenant{"11111111-1111-4111-8111-111111111111"};
    const std::string other_tenant{"22222222-2222-4222-8222-222222222222"};
    const std::string master_text{
        "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"};
    test_database database;
    http_receiver receiver;
    recording_observer observer;

   private:
    libqueue::worker_options options() {
        libqueue::worker_options made;
        made.dsn = database.dsn();
        made.queues.emplace_back("default", 50);
        made.observer = &observer;
        made.poll_interval = std::chrono::milliseconds{200};
        made.migration_sets.push_back(libqueue::processors::webhook::migrations());
        return made;
    }
    [[nodiscard]] std::vector<libqueue::registration> kinds() const {
        libqueue::processors::webhook::options given;
        given.secrets.emplace_back("whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0");
        given.endpoint_keys.emplace_back(master_text);
        given.allow_http = true;
        given.allow_private = !guarded_;
        given.endpoint_cache = std::chrono::milliseconds{0};
        return libqueue::processors::webhook::make_registrations(std::move(given));
    }

    bool guarded_;
    libqueue::worker worker_{options(), kinds()};
};

}  // namespace test
