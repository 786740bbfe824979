#include "request_memory.hpp"

#include "problem.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <doctest/doctest.h>

using workerd::api::refused;
using workerd::api::request_memory;

TEST_SUITE("request memory") {
    TEST_CASE(
        "request memory: who asks again because the answer was lost finds the key their own") {
        const test::test_database db;
        libqueue::client client{libqueue::client_options{db.dsn()}};
        const libqueue::principal who{"token:a"};
        request_memory first{client, who, "k", "POST /queues"};
        request_memory other{client, who, "k", "POST /queues"};

        CHECK_FALSE(first.take());
        CHECK_FALSE(first.take());
        CHECK_THROWS_AS(static_cast<void>(other.take()), refused);
        other.give_back();
        CHECK_THROWS_AS(static_cast<void>(other.take()), refused);
        first.keep(workerd::api::answer{201, "{}"});
        first.keep(workerd::api::answer{201, "{}"});
        REQUIRE(other.take());
        CHECK(other.take()->status == 201);
        CHECK(first.take()->body == "{}");
    }
}
