#include "processors/support/payload.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {
using libqueue::processors::payload_reader;
}

TEST_SUITE("processors: payload reader") {
    TEST_CASE("reads what is there and takes null for absent") {
        payload_reader reader{R"( {"a": "x", "n": 5, "l": ["p", "q"], "one": "p", "m": {"k": "v"},)"
                              R"( "b": true, "nil": null, "\u0061b": "escaped"} )"};
        CHECK(reader.text("a") == "x");
        CHECK(reader.optional_integer("n", 0, 10).value() == 5);
        CHECK(reader.texts("l").size() == 2);
        CHECK(reader.texts("one").front() == "p");
        CHECK(reader.text_map("m").front().second == "v");
        CHECK(reader.optional_flag("b").value());
        CHECK_FALSE(reader.optional_text("nil").has_value());
        CHECK_FALSE(reader.has("nil"));
        CHECK(reader.text("ab") == "escaped");
        CHECK(reader.texts("absent").empty());
        CHECK(reader.ok());
    }

    TEST_CASE("collects every fault with its path and type, and never content") {
        payload_reader reader{R"({"a": 5, "n": "canary", "l": ["p", {"canary": 1}], "m": ["canary"],
                               "k": {"canary": 2}, "big": 11, "e": "", "f": 1.5})"};
        CHECK(reader.text("a").empty());
        CHECK_FALSE(reader.optional_integer("n", 0, 10).has_value());
        CHECK_FALSE(reader.optional_integer("big", 0, 10).has_value());
        CHECK_FALSE(reader.optional_integer("f", 0, 10).has_value());
        (void)reader.texts("l");
        (void)reader.text_map("m");
        (void)reader.text_map("k");
        (void)reader.text("gone");
        (void)reader.text("e");
        CHECK(reader.faults() ==
              "payload.a: expected a string, got a number; "
              "payload.n: expected an integer from 0 to 10, got a string; "
              "payload.big: expected an integer from 0 to 10, got one outside; "
              "payload.f: expected an integer from 0 to 10, got another number; "
              "payload.l[1]: expected a string, got an object; "
              "payload.m: expected an object of strings, got an array; "
              "payload.k[0]: expected a string, got a number; "
              "payload.gone: expected a string, got nothing; "
              "payload.e: expected a string, got an empty one");
    }

    TEST_CASE("raw: keeps every digit and character of a field that is passed on") {
        const std::string data = R"({"n": 12345678901234567890.12345678901234567890, "e": 1e999,
            "s": "}],{\"\\", "a": [[], {}]})";
        const std::string text = R"({"x": 1, "data": )" + data + R"(, "y": "\\"})";
        payload_reader reader{text};
        CHECK(reader.raw("data") == data);
        CHECK(reader.raw("absent") == "null");
        CHECK(reader.text("y") == "\\");
        CHECK(reader.ok());
    }

    TEST_CASE("anything but an object is a fault, however broken") {
        for (const std::string text :
             {"",           " ",          "null",   "5",          "\"{}\"",    "[]",
              "{",          "{]",         "{\"a\"", "{\"a\":",    "{\"a\":}",  "{\"a\":1",
              "{\"a\":1,",  "{\"a\":1,}", "{a:1}",  "{\"a\":1}x", "{\"a\" 1}", "{\"a\":\"",
              "{\"a\":[1}", "{,}",        "\\",     "{\"\\"}) {
            CAPTURE(text);
            payload_reader reader{text};
            CHECK(reader.faults() == "payload: expected a JSON object, got something else");
        }
        CHECK(payload_reader{"{}"}.ok());
        CHECK(payload_reader{std::string(20'000, '[')}.ok() == false);
    }

    TEST_CASE("a deep or endless field is a fault where it is read, and harmless elsewhere") {
        const auto deep = std::string(20'000, '[') + std::string(20'000, ']');
        const auto text = R"({"a": )" + deep + "}";
        payload_reader reader{text};
        CHECK(reader.ok());
        CHECK(reader.raw("a") == deep);
        (void)reader.text("a");
        CHECK(reader.faults() == "payload.a: expected a string, got no JSON");
    }

    TEST_CASE("json_string: escapes what JSON must") {
        using libqueue::processors::json_string;
        CHECK(json_string("a\"\\\n") == R"("a\"\\\n")");
        CHECK(libqueue::processors::json_strings({"a", "b"}) == R"(["a","b"])");
        CHECK(libqueue::processors::json_strings({}) == "[]");
    }
}
