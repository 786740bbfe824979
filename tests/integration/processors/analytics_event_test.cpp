#include "processors/analytics/event.hpp"
#include "processors/analytics/event_columns.hpp"
#include "processors/analytics/event_time.hpp"
#include "processors/analytics/processor.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace {

namespace analytics = libqueue::processors::analytics;
using libqueue::processors::secret;

libqueue::job job_of(const std::string& kind, const std::string& payload) {
    libqueue::job made;
    made.id = 7;
    made.kind = kind;
    made.payload = payload;
    made.created_at = libqueue::time_point{std::chrono::microseconds{1'700'000'000'000'000}};
    return made;
}

const secret& key() {
    static const secret one{std::string(32, 'k')};
    return one;
}

libqueue::result<std::vector<analytics::event>> parse(const std::string& payload,
                                                      const std::string& kind = "analytics.event") {
    return analytics::parse_events(job_of(kind, payload), key());
}

std::string fault_of(const std::string& payload, const std::string& kind = "analytics.event") {
    const auto events = parse(payload, kind);
    return events ? "none" : events.error().message;
}

}  // namespace

TEST_SUITE("analytics: events") {
    TEST_CASE("a purchase is read whole") {
        const auto events = parse(
            R"({"type": "ticket-purchase", "id": "evt_1", "at": "2026-11-21T10:00:00.5+01:00",
                "customer": "c42", "venue": "v7", "channel": "email", "amount": 4500,
                "currency": "EUR", "quantity": 2, "order": "o77", "then": [], "other": {}})");

        REQUIRE(events.has_value());
        REQUIRE(events->size() == 1);
        const auto& one = events->front();
        CHECK(one.type == analytics::event_type::purchase);
        CHECK(one.at == 1'795'251'600'500'000);
        CHECK(one.amount == 4500);
        CHECK(one.quantity == 2);
        CHECK(one.venue == "v7");
        CHECK(one.channel == "email");
        CHECK(one.currency == "EUR");
        CHECK(one.reference == "o77");
        CHECK(one.key.size() == 32);
    }

    TEST_CASE("an event without id and time has those of its job") {
        const auto first = parse(R"({"events": [{"type": "page-view"}, {"type": "page-view"}]})",
                                 "analytics.batch");
        const auto again = parse(R"({"events": [{"type": "page-view"}, {"type": "page-view"}]})",
                                 "analytics.batch");

        REQUIRE(first.has_value());
        CHECK(first->at(0).key != first->at(1).key);
        CHECK(first->at(0).key == again->at(0).key);
        CHECK(first->at(0).at == 1'700'000'000'000'000);
        // Nobody can name an id that meets the one of a job.
        CHECK(fault_of(R"({"type": "page-view", "id": "\njob:7:0"})") ==
              "payload.id: expected 1 to 128 bytes without control characters, got 8 bytes");
    }

    TEST_CASE("a customer has another pseudonym with each tenant and key, and is nowhere plain") {
        const std::string tenant(36, '1');
        const auto mine = analytics::pseudonym_of("c42", tenant, key());

        // echo -en '<36 ones>\nc42' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
        CHECK(mine == "7f523223733bc705a99ac89babfd919b");
        CHECK(mine != analytics::pseudonym_of("c42", std::string(36, '2'), key()));
        CHECK(mine != analytics::pseudonym_of("c43", tenant, key()));
        CHECK(mine != analytics::pseudonym_of("c42", tenant, secret{std::string(32, 'x')}));

        const auto events = parse(R"({"type": "page-view", "customer": "jane@example.com"})");
        REQUIRE(events.has_value());
        analytics::event_columns columns;
        columns.add(events->front(), tenant);
        for (const auto& statement : std::move(columns).take()) {
            for (const auto& parameter : statement.parameters) {
                CHECK(parameter.value_or("").find("jane") == std::string::npos);
            }
        }
    }

    TEST_CASE("a page is kept without what may name a person") {
        CHECK(parse(R"({"type": "page-view", "page": "/e/1?mail=jane@example.com"})")
                  ->front()
                  .reference == "/e/1");
        CHECK(parse(R"({"type": "page-view", "page": "/e/2#x"})")->front().reference == "/e/2");
        CHECK(parse(R"({"type": "page-view", "page": "?q"})")->front().reference.empty());
    }

    TEST_CASE("faults say what was expected, what came and where, and no content") {
        CHECK(fault_of("[]") == "payload: expected a JSON object, got an array");
        CHECK(fault_of(R"({"type": "jane"})") ==
              "payload.type: expected one of ticket-purchase, ticket-scan, page-view, "
              "cart-update, venue-update, got another string");
        CHECK(fault_of(R"({"type": "ticket-purchase"})") ==
              "payload.amount: expected an integer in minor units, got nothing");
        CHECK(fault_of(R"({"type": "ticket-purchase", "amount": 1.5, "currency": "EUR"})") ==
              "payload.amount: expected an integer from 0 to 9007199254740991, got a fraction or "
              "a number too large");
        CHECK(fault_of(R"({"type": "ticket-purchase", "amount": -1, "currency": "EUR"})") ==
              "payload.amount: expected an integer from 0 to 9007199254740991, got one outside");
        CHECK(fault_of(R"({"type": "cart-update", "amount": 5})") ==
              "payload.currency: expected it beside the other of amount, currency, got nothing");
        CHECK(fault_of(R"({"type": "ticket-scan"})") ==
              "payload.venue: expected a string, which this type needs, got nothing");
        CHECK(fault_of(R"({"type": "page-view", "at": "yesterday", "currency": "eur",
                           "amount": 1})") ==
              "payload.at: expected an RFC 3339 time from 1970 on, got another string; "
              "payload.currency: expected three capital letters (ISO 4217), got another string");
        CHECK(fault_of(R"({"type": "page-view", "channel": "Paid Search"})") ==
              "payload.channel: expected 1 to 32 of a-z 0-9 _ -, got something else");
        CHECK(fault_of(R"({"events": [{"type": "page-view"}, 3]})", "analytics.batch") ==
              "payload.events[1]: expected an object, got a number");
        CHECK(fault_of("{}", "analytics.batch") ==
              "payload.events: expected an array of 1 to 10000 events, got nothing");
    }

    TEST_CASE("of many faults twenty are told and the others counted") {
        std::string list;
        for (int at = 0; at < 25; ++at) {
            list += list.empty() ? "3" : ", 3";
        }
        const auto told = fault_of(R"({"events": [)" + list + "]}", "analytics.batch");
        CHECK(told.find("events[19]") != std::string::npos);
        CHECK(told.find("events[20]") == std::string::npos);
        CHECK(told.ends_with("; and 5 more"));
    }

    TEST_CASE("times are RFC 3339 or nothing") {
        using analytics::parse_time;
        CHECK(parse_time("1970-01-01T00:00:00Z") == 0);
        CHECK(parse_time("2024-02-29t23:59:59.123456789z") == 1'709'251'199'123'456);
        CHECK(parse_time("2026-11-21 00:30:00-05:30") == 1'795'240'800'000'000);
        CHECK(parse_time("2016-12-31T23:59:60Z") == parse_time("2017-01-01T00:00:00Z"));
        for (const char* const bad :
             {"", "2026-11-21", "2026-11-21T10:00:00", "2026-02-29T10:00:00Z",
              "2026-13-01T10:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z",
              "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00+25:00", "2026-11-21T10:00:00Z ",
              "1970-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z", "26-11-21T10:00:00Z",
              "2026-11-21T10:00:00.1234567890Z"}) {
            CAPTURE(bad);
            CHECK_FALSE(parse_time(bad));
        }
    }

    TEST_CASE("options that cannot be worked with are refused") {
        analytics::options shorter;
        shorter.customer_key = secret{"short"};
        CHECK_THROWS_WITH_AS(static_cast<void>(analytics::make_registrations(shorter)),
                             "customer_key: expected at least 32 bytes, got 5",
                             std::invalid_argument);
        analytics::options late;
        late.customer_key = key();
        late.max_late = std::chrono::hours{366 * 24};
        CHECK_THROWS_AS(static_cast<void>(analytics::make_registrations(late)),
                        std::invalid_argument);
        late.max_late = {};
        late.max_ahead = std::chrono::hours{8 * 24};
        CHECK_THROWS_AS(static_cast<void>(analytics::make_registrations(late)),
                        std::invalid_argument);
    }
}
