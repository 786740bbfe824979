#include "support/test_database.hpp"

#include <libqueue/batches.hpp>
#include <libqueue/client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using libqueue::batch_state;
using libqueue::batches;
using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::new_batch;

// What a batch does is tested with the engine; here, that the C++ API says it and hears it.

namespace {

class bench {
   public:
    test::test_database db;
    client on{client_options{db.dsn()}};
    batches all{on};

    void fold() const { db.execute("SELECT queue.fold_batches('1 minute')"); }
    libqueue::job_id add(std::int64_t batch) {
        libqueue::new_job job{"k", "{}"};
        job.batch_id = batch;
        return on.enqueue(job).value().id;
    }
};

std::string cell(const libqueue::report& in, std::string_view name) {
    const auto found = std::find_if(in.columns.begin(), in.columns.end(),
                                    [&](const libqueue::column& one) { return one.name == name; });
    REQUIRE_MESSAGE(found != in.columns.end(), name);
    return in.rows.at(0).at(static_cast<std::size_t>(found - in.columns.begin())).value_or("");
}

const std::string tenant{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};

TEST_SUITE("batches API") {
    TEST_CASE("create: every field arrives") {
        bench t;
        new_batch wanted{"campaign.spring"};
        wanted.on_success("ok").on_failure("bad").on_finish("done").for_tenant(tenant);
        wanted.with_payload(R"({"a": 1})");
        wanted.callback_queue = "default";
        wanted.callback_priority = -3;
        wanted.retention = std::chrono::hours{48};
        const auto batch = t.all.create(wanted).value();

        const auto one = t.all.show(batch).value();
        CHECK(cell(one, "id") == std::to_string(batch));
        CHECK(cell(one, "name") == "campaign.spring");
        CHECK(cell(one, "on_success") == "ok");
        CHECK(cell(one, "on_failure") == "bad");
        CHECK(cell(one, "on_finish") == "done");
        CHECK(cell(one, "tenant_id") == tenant);
        CHECK(cell(one, "payload") == R"({"a": 1})");
        CHECK(cell(one, "callback_queue") == "default");
        CHECK(cell(one, "callback_priority") == "-3");
        CHECK(t.db.query("SELECT retention = interval '2 days' FROM queue.batches") == "t");
    }

    TEST_CASE("add, seal, count, cancel, items") {
        bench t;
        const auto batch = t.all.create(new_batch{}).value();
        const auto first = t.add(batch);
        t.add(batch);
        auto counts = t.all.counts(batch).value();
        CHECK(counts.state == batch_state::pending);
        CHECK(counts.total == 2);
        CHECK_FALSE(counts.sealed);

        CHECK(t.all.seal(batch).has_value());
        CHECK(t.all.seal(batch).error().code == errc::conflict);
        const auto done = t.all.cancel(batch, "enough").value();
        CHECK(done.cancelled == 2);
        CHECK(done.asked == 0);
        CHECK(done.finished);
        t.fold();
        counts = t.all.counts(batch).value();
        CHECK(counts.state == batch_state::failed);
        CHECK(counts.cancelled == 2);
        CHECK(counts.processed() == 2);
        CHECK(counts.finished);
        CHECK(t.all.cancel(batch).error().code == errc::conflict);

        libqueue::batch_item_filter filter;
        filter.limit = 1;
        filter.state = libqueue::job_state::cancelled;
        const auto page = t.all.items(batch, filter).value();
        CHECK(cell(page, "id") == std::to_string(first));
        CHECK(cell(page, "error") == "enough");
        REQUIRE(page.next.has_value());
        filter.after = page.next;
        CHECK(t.all.items(batch, filter)->rows.size() == 1);
    }

    TEST_CASE("list: newest first, in pages, by name, tenant and end") {
        bench t;
        for (const std::string name : {"a.1", "a.2", "b.1"}) {
            REQUIRE(t.all.create(new_batch{name}).has_value());
        }
        new_batch other{"a.1"};
        REQUIRE(t.all.create(other.for_tenant(tenant)).has_value());
        REQUIRE(t.all.seal(1).has_value());
        t.fold();

        libqueue::batch_filter filter;
        filter.limit = 3;
        const auto first = t.all.list(filter);
        CHECK(cell(first, "id") == "4");
        REQUIRE(first.next.has_value());
        filter.before = first.next;
        CHECK(t.all.list(filter).rows.size() == 1);
        libqueue::batch_filter by_name;
        by_name.name = "a.*";
        CHECK(t.all.list(by_name).rows.size() == 3);
        by_name.unfinished_only = true;
        CHECK(t.all.list(by_name).rows.size() == 2);
        by_name.tenant_id = tenant;
        CHECK(t.all.list(by_name).rows.size() == 1);
    }

    TEST_CASE("bad input is a result that names the argument, and the connection stays fit") {
        bench t;
        const auto says = [&](const char* start, const auto& change) {
            new_batch wanted;
            change(wanted);
            const auto said = t.all.create(wanted);
            const std::string message = said.has_error() ? said.error().message : "accepted";
            CHECK_MESSAGE(message.find(start) == 0, message);
        };
        says("name: expected 1 to 200", [](new_batch& b) { b.name = std::string(201, 'n'); });
        says("name: expected UTF-8", [](new_batch& b) { b.name = std::string("a\0b", 3); });
        says("on_success: expected a kind", [](new_batch& b) { b.on_success("No"); });
        says("on_failure: expected UTF-8", [](new_batch& b) { b.on_failure("\xFF"); });
        says("payload: ", [](new_batch& b) { b.with_payload("{"); });
        says("tenant_id: expected a UUID", [](new_batch& b) { b.for_tenant("x"); });
        says("retention: expected", [](new_batch& b) { b.retention = std::chrono::seconds{-1}; });
        CHECK(t.all.list().rows.empty());

        CHECK(t.all.seal(7).error().code == errc::not_found);
        CHECK(t.all.cancel(7).error().code == errc::not_found);
        CHECK(t.all.counts(7).error().code == errc::not_found);
        CHECK(t.all.show(7).error().code == errc::not_found);
        CHECK(t.all.items(7).error().code == errc::not_found);
    }

    TEST_CASE("the names of the states read back") {
        for (const auto state :
             {batch_state::pending, batch_state::processing, batch_state::completed,
              batch_state::failed, batch_state::partial_success}) {
            CHECK(libqueue::parse_batch_state(to_string(state)) == state);
        }
        CHECK_FALSE(libqueue::parse_batch_state("completed").has_value());
    }
}

}  // namespace
