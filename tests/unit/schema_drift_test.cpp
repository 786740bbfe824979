#include "store/schema_drift.hpp"

#include <sql/schema.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using libqueue::store::find_drift;
using libqueue::store::read_schema_dump;
using libqueue::store::schema_object;

namespace {

constexpr const char* dump = R"(
CREATE FUNCTION q.f(a integer) RETURNS void
    LANGUAGE plpgsql
    AS $_$
BEGIN
    -- why

    PERFORM $1;
END
$_$;

CREATE FUNCTION q.g() RETURNS text
    LANGUAGE sql
    RETURN 'x'::text;

CREATE TABLE q.log (
    id bigint NOT NULL,
    "order" text,
    CONSTRAINT log_order_valid CHECK (("order" <> ''::text))
)
PARTITION BY RANGE (id);

CREATE TABLE q.log_1 (
    id bigint NOT NULL,
    "order" text
);

ALTER TABLE ONLY q.log ATTACH PARTITION q.log_1 FOR VALUES FROM ('1') TO ('9');

ALTER TABLE ONLY q.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY q.log_1
    ADD CONSTRAINT log_1_pkey PRIMARY KEY (id);

CREATE UNIQUE INDEX log_order_idx ON ONLY q.log USING btree ("order");

CREATE UNIQUE INDEX log_1_order_idx ON q.log_1 USING btree ("order");

ALTER INDEX q.log_pkey ATTACH PARTITION q.log_1_pkey;

CREATE VIEW q.logs WITH (security_invoker='true') AS
 SELECT 1;
)";

std::string names(const std::vector<schema_object>& objects) {
    std::string all;
    for (const auto& each : objects) {
        all += (all.empty() ? "" : ", ") + each.what + " " + each.name;
    }
    return all;
}

}  // namespace

TEST_SUITE("schema drift") {
    TEST_CASE("schema drift: a dump is read without the partitions, which come and go") {
        CHECK(names(read_schema_dump(dump, "q")) ==
              "function f, function g, table log, column log.id, column log.order, constraint "
              "log_order_valid, constraint log_pkey, index log_order_idx, view logs");
    }

    TEST_CASE("schema drift: a body is compared as the dump was normalised, an expression is not") {
        const auto expected = read_schema_dump(dump, "q");
        auto live = expected;
        live[0].body = "\nBEGIN\n    -- why\n\n\n    PERFORM $1;\nEND\n";
        live[1].body = "whatever";
        live.emplace_back("table", "of_somebody_else");
        CHECK(find_drift(expected, live).empty());

        live[0].body = "\nBEGIN\n    PERFORM $1;\nEND\n";
        CHECK(find_drift(expected, live) ==
              std::vector<std::string>{"function f differs from this build's"});
        live.erase(live.begin() + 3);
        CHECK(find_drift(expected, live).back() == "column log.id is missing");
    }

    TEST_CASE("schema drift: this build's own schema is read, functions with their bodies") {
        const auto all = read_schema_dump(libqueue::sql::schema, "queue");

        const auto enqueue = std::ranges::find(all, "enqueue", &schema_object::name);
        REQUIRE(enqueue != all.end());
        CHECK(enqueue->body.find("RETURN") != std::string::npos);
        CHECK(std::ranges::count(all, "table", &schema_object::what) > 10);
    }

    TEST_CASE("schema drift: a dump that is cut short ends the reading") {
        const std::string whole{dump};
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CHECK(read_schema_dump(whole.substr(0, size), "q").size() <= 13);
        }
    }
}
