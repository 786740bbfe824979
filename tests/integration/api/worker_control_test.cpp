#include "stand_in_worker.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/principal.hpp>
#include <libqueue/worker_control.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::report;
using libqueue::role;
using libqueue::worker_control;
using libqueue::worker_wish;

namespace {

/// A worker as the database knows it, with nobody who would hear what is asked of it.
class bench {
   public:
    [[nodiscard]] std::int64_t id() const { return std::stoll(stand_in.id()); }

    void act_as(role what, std::optional<std::string> tenant = {}) {
        REQUIRE(on.act_as(libqueue::principal{"test", what, std::move(tenant), "r-1"}).has_value());
    }
    /// Of the row itself.
    void set(const std::string& assignments) {
        db.execute("UPDATE queue.worker SET " + assignments);
    }
    [[nodiscard]] std::string asked() const {
        return db.query("SELECT coalesce(asked, '-') FROM queue.worker");
    }
    [[nodiscard]] std::string audited() const {
        return db.query(
            "SELECT coalesce(string_agg(role || ' ' || action || ' ' || target, ', ' ORDER BY id), "
            "'-') FROM queue.audit");
    }

    test::test_database db;
    test::stand_in_worker stand_in{db};
    client on{client_options{db.dsn()}};
    worker_control control{on};
};

std::string cell(const report& in, std::string_view name) {
    const auto found = std::ranges::find(in.columns, name, &libqueue::column::name);
    REQUIRE_MESSAGE(found != in.columns.end(), name);
    return in.rows.at(0).at(static_cast<std::size_t>(found - in.columns.begin())).value_or("NULL");
}

}  // namespace

TEST_SUITE("worker control") {
    TEST_CASE("show: what the list tells, what was asked, and the jobs that run") {
        bench t;
        const auto running = t.on.enqueue(libqueue::new_job{"a.b", "{}"}).value().id;
        const auto done = t.on.enqueue(libqueue::new_job{"a.b", "{}"}).value().id;
        t.stand_in.claim(running);
        t.stand_in.complete(done);
        REQUIRE(t.control.ask(t.id(), worker_wish::quiet).has_value());

        const report one = t.control.show(t.id()).value();

        const report list = libqueue::operations{t.on}.list_workers();
        REQUIRE(list.rows.size() == 1);
        for (const auto& column : list.columns) {
            CAPTURE(column.name);
            CHECK(cell(one, column.name) == cell(list, column.name));
        }
        CHECK(cell(one, "asked") == "quiet");
        CHECK(cell(one, "live") == "t");
        CHECK(cell(one, "ended") == "NULL");
        CHECK(cell(one, "jobs") == "[" + std::to_string(running) + "]");
        CHECK(t.control.show(t.id() + 1).error().code == errc::not_found);
    }

    TEST_CASE("the last wish counts, resume takes it back, and nothing comes after stop") {
        bench t;
        for (const auto wish : {worker_wish::quiet, worker_wish::drain, worker_wish::quiet}) {
            REQUIRE(t.control.ask(t.id(), wish).has_value());
            CHECK(t.asked() == to_string(wish));
        }
        REQUIRE(t.control.ask(t.id(), worker_wish::resume).has_value());
        CHECK(t.asked() == "-");
        REQUIRE(t.control.ask(t.id(), worker_wish::stop).has_value());
        for (const auto wish : {worker_wish::quiet, worker_wish::resume, worker_wish::stop}) {
            CHECK(t.control.ask(t.id(), wish).error().code == errc::conflict);
        }
        CHECK(t.asked() == "stop");
    }

    TEST_CASE("nothing is asked of who is unknown, leaving, silent or dead") {
        bench t;
        CHECK(t.control.ask(t.id() + 1, worker_wish::quiet).error().code == errc::not_found);
        for (const char* const how : {"state = 'draining'", "beat_at = now() - interval '1 hour'",
                                      "beat_at = now(), ended = 'killed'"}) {
            CAPTURE(how);
            t.set("state = 'running', beat_at = now()");
            t.set(how);
            CHECK(t.control.ask(t.id(), worker_wish::quiet).error().code == errc::conflict);
            CHECK(t.asked() == "-");
        }
    }

    TEST_CASE("each wish that was heard is audited once, and those of a tenant are not") {
        bench t;
        t.act_as(role::operate);
        REQUIRE(t.control.ask(t.id(), worker_wish::drain).has_value());
        REQUIRE(t.control.ask(t.id(), worker_wish::resume).has_value());
        t.act_as(role::admin);
        REQUIRE(t.control.ask(t.id(), worker_wish::stop).has_value());
        CHECK(t.control.ask(t.id(), worker_wish::stop).has_error());
        const auto id = std::to_string(t.id());
        const auto expected = "operator workers.drain " + id + ", operator workers.resume " + id +
                              ", admin workers.stop " + id;
        CHECK(t.audited() == expected);

        t.set("asked = NULL");
        t.act_as(role::admin, "11111111-1111-4111-8111-111111111111");
        CHECK_THROWS_AS(static_cast<void>(t.control.ask(t.id(), worker_wish::quiet)),
                        libqueue::failure);
        CHECK(t.asked() == "-");
        CHECK(t.audited() == expected);
    }
}
