#include "core/text.hpp"

#include "core/limits.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace core = libqueue::core;
namespace limits = libqueue::limits;
using namespace std::string_literals;

namespace {

const std::string fffd = "\xEF\xBF\xBD";

std::string nested(std::size_t depth, char open, char close) {
    return std::string(depth, open) + std::string(depth, close);
}

std::string fault_in(std::string_view json) {
    const auto checked = core::json_storable(json);
    return checked ? "" : checked.error().message;
}

bool has_fault(std::string_view json, std::string_view fault) {
    return fault_in(json).find(fault) != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("text");

TEST_CASE("text: clean text is stored as it is") {
    for (const std::string& text :
         {""s, "plain"s, "Gr\xC3\xBC\xC3\x9F"s, "\xE2\x82\xAC"s, "\xF0\x9F\x8E\xAB"s, "\t\r\n\x01"s,
          "'; DROP TABLE job; --"s, "\xEE\x80\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF"s}) {
        CHECK(core::is_storable_text(text));
        CHECK(core::storable_text(text, 100) == text);
    }
}

TEST_CASE("text: each invalid sequence becomes one replacement character") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"a\0b"s, "a" + fffd + "b"},
        {"\xFF", fffd},
        {"\x80\x80", fffd + fffd},
        {"\xC0\xAF", fffd + fffd},                        // overlong slash
        {"\xE0\x80\x80", fffd + fffd + fffd},             // overlong NUL
        {"\xC3(", fffd + "("},                            // continuation missing
        {"\xE2\x82", fffd},                               // cut off
        {"\xF0\x9F\x8E", fffd},                           // cut off
        {"\xED\xA0\x80", fffd + fffd + fffd},             // surrogate U+D800
        {"\xF4\x90\x80\x80", fffd + fffd + fffd + fffd},  // above U+10FFFF
        {"\xF8\x88\x80\x80\x80", fffd + fffd + fffd + fffd + fffd},
        {"\xF1\x80\x80\xE1\x80\xC2", fffd + fffd + fffd},
        {"\xE2\x82\xAC\xE2\x82", "\xE2\x82\xAC" + fffd},
    };

    for (const auto& row : table) {
        const auto& bytes = row.first;
        const auto& expected = row.second;
        CAPTURE(expected);
        CHECK_FALSE(core::is_storable_text(bytes));
        CHECK(core::storable_text(bytes, 100) == expected);
    }
}

TEST_CASE("text: long text is cut at a code point and says so") {
    const std::string cut = core::storable_text(std::string(100, 'x'), 40);
    CHECK(cut == std::string(17, 'x') + " [truncated, 100 bytes]");
    CHECK(cut.size() == 40);

    std::string euros;
    for (int i = 0; i < 40; ++i) {
        euros += "\xE2\x82\xAC";
    }
    const std::string whole = core::storable_text(euros, 40);
    CHECK(whole == euros.substr(0, 15) + " [truncated, 120 bytes]");
    CHECK(core::storable_text(euros, 120) == euros);
    CHECK(core::storable_text("\xE2\x82\xAC\xE2\x82\xAC", 5) == "\xE2\x82\xAC");
    CHECK(core::storable_text("abc", 0).empty());
    CHECK(core::storable_text("\xFF", 2).empty());
}

TEST_CASE("text: random bytes always become storable text within the bound") {
    constexpr unsigned seed = 99;
    CAPTURE(seed);
    std::mt19937 random{seed};
    for (int i = 0; i < 3'000; ++i) {
        std::string bytes(random() % 80, '\0');
        for (char& c : bytes) {
            // High bytes often, so that sequences begin and break.
            c = static_cast<char>(random() % 3 == 0 ? random() % 128 : 0x80 + random() % 128);
        }
        const std::size_t bound = random() % 90;
        const std::string stored = core::storable_text(bytes, bound);
        REQUIRE(core::is_storable_text(stored));
        REQUIRE(stored.size() <= bound);
        const std::string json = core::json_string(bytes, bound + 2);
        REQUIRE(core::json_storable(json).has_value());
        REQUIRE(json.size() <= bound + 2);
    }
}

TEST_CASE("text: JSON that jsonb can store passes") {
    for (const std::string& json : {"null"s,
                                    "true"s,
                                    " false "s,
                                    "0"s,
                                    "-0"s,
                                    "-1.5e-3"s,
                                    "1E+2"s,
                                    "\"\""s,
                                    "[]"s,
                                    "{}"s,
                                    "[1,2,[3]]"s,
                                    R"({"a":{"b":[]},"c":"d"})"s,
                                    "\t\n\r [ 1 , 2 ] \n"s,
                                    R"("\"\\\/\b\f\n\r\t\u0001\u20AC")"s,
                                    R"("\uD83C\uDFAB")"s,
                                    R"("\ud83c\udfab")"s,
                                    "\"\xF0\x9F\x8E\xAB\x7F\""s,
                                    "18446744073709551616"s,
                                    "1e308"s,
                                    "5e-324"s,
                                    R"({"a":1,"a":2})"s,
                                    nested(limits::json_depth, '[', ']'),
                                    std::string(limits::json_number_bytes, '9')}) {
        CAPTURE(json);
        CHECK(fault_in(json).empty());
    }
}

TEST_CASE("text: JSON that jsonb cannot store is refused with the reason") {
    const std::vector<std::pair<std::string, const char*>> table{
        {"", "at byte 0: the text ends too early"},
        {"  ", "at byte 2: the text ends too early"},
        {R"("\u0000")", "at byte 1: \\u0000 cannot be stored"},
        {"\"a\0b\""s, "at byte 2: NUL cannot be stored"},
        {"{}\0"s, "at byte 2: expected nothing after the value"},
        {R"("\uD800")", "at byte 1: a surrogate stands alone"},
        {R"("\uD800x")", "a surrogate stands alone"},
        {R"("\uD800\n")", "a surrogate stands alone"},
        {R"("\uD800\uD800")", "a surrogate stands alone"},
        {R"("\uDC00")", "a surrogate stands alone"},
        {R"("\uDC00\uD800")", "a surrogate stands alone"},
        {R"("\uD83C\uDFA")", "a surrogate stands alone"},
        {R"("\uD83C\u)", "a surrogate stands alone"},
        {R"("\u12G4")", "expected four hexadecimal digits"},
        {R"("\u12)", "expected four hexadecimal digits"},
        {R"("\x")", "unknown escape"},
        {"\"\\\0\""s, "unknown escape"},
        {R"("\)", "the text ends too early"},
        {R"("abc)", "the text ends too early"},
        {"\"\xED\xA0\x80\"", "invalid UTF-8"},
        {"\"\xC0\x80\"", "invalid UTF-8"},
        {"\"\xFF\"", "invalid UTF-8"},
        {"\"\xE2\x82\"", "invalid UTF-8"},
        {"\"a\nb\"", "a control character must be escaped"},
        {"\xEF\xBB\xBF{}", "at byte 0: expected a value"},
        {"nul", "expected a value"},
        {"True", "expected a value"},
        {"NaN", "expected a value"},
        {"'a'", "expected a value"},
        {"truefalse", "expected nothing after the value"},
        {"[1 2]", "expected a comma or ]"},
        {"[1,]", "expected a value"},
        {"[,1]", "expected a value"},
        {"[1}", "expected a comma or ]"},
        {"]", "expected a value"},
        {"[", "the text ends too early"},
        {"[1", "the text ends too early"},
        {"{", "the text ends too early"},
        {"{1:2}", "expected a key in quotes"},
        {R"({"a" 1})", "expected a colon"},
        {R"({"a":})", "expected a value"},
        {R"({"a":1,})", "expected a key in quotes"},
        {R"({"a":1 "b":2})", "expected a comma or }"},
        {R"({"a":1])", "expected a comma or }"},
        {"{}{}", "expected nothing after the value"},
        {"// c\n1", "expected a value"},
        {"-", "expected a digit"},
        {"+1", "expected a value"},
        {"01", "a number must not begin with 0"},
        {"-01", "a number must not begin with 0"},
        {"1.", "expected a digit"},
        {".5", "expected a value"},
        {"1e", "expected a digit"},
        {"1e+", "expected a digit"},
        {"0x10", "expected nothing after the value"},
        {"1e401", "the exponent is too large"},
        {"1e-99999999999999999999999", "the exponent is too large"},
        {std::string(limits::json_number_bytes + 1, '9'), "the number is too long"},
        {nested(limits::json_depth + 1, '[', ']'), "at byte 128: nested too deeply"},
    };

    for (const auto& row : table) {
        const auto& json = row.first;
        const auto& why = row.second;
        CAPTURE(json);
        CHECK(has_fault(json, why));
    }
}

TEST_CASE("text: 20000 levels give a clean error, closed or not") {
    std::string objects;
    for (int i = 0; i < 20'000; ++i) {
        objects += R"({"a":)";
    }

    CHECK(has_fault(nested(20'000, '[', ']'), "nested too deeply"));
    CHECK(has_fault(std::string(20'000, '['), "nested too deeply"));
    CHECK(has_fault(objects, "nested too deeply"));
    const auto checked = core::json_storable(objects, "meta");
    CHECK(checked.error().code == libqueue::errc::invalid_payload);
    CHECK(checked.error().hint == "at most 128 levels");
    CHECK(checked.error().message.rfind("meta: expected JSON", 0) == 0);
}

TEST_CASE("text: an error never quotes the payload") {
    const std::string message = fault_in(R"({"card": "4111111111111111", "cvv": 123x})");

    CHECK(message ==
          "payload: expected JSON that can be stored, got a fault at byte 39: "
          "expected a comma or }");
}

TEST_CASE("text: an object is told from other JSON") {
    CHECK(core::json_object_storable(" \n{\"a\":1}", "meta").has_value());
    CHECK_FALSE(core::json_object_storable("[{}]", "meta").has_value());
    CHECK_FALSE(core::json_object_storable("", "meta").has_value());
    CHECK(core::json_object_storable("1", "meta").error().message ==
          "meta: expected a JSON object");
}

TEST_CASE("text: mutated JSON gets the same verdict as from a full parser") {
    constexpr unsigned seed = 4711;
    CAPTURE(seed);
    std::mt19937 random{seed};
    const std::string good =
        R"({"a":[1,-2.5e3,true,null,"x\u20ac\ud83c\udfab\n"],"b":{"c":"é"},"d":[[],{}],"e":0})";
    constexpr std::string_view alphabet = "{}[]\",:\\u0123456789abcdefE+-. \ntrul\x80\xC3\xA9";
    for (int i = 0; i < 20'000; ++i) {
        std::string json = good;
        for (std::size_t n = 1 + random() % 3; n > 0; --n) {
            const std::size_t at = random() % json.size();
            const char c = alphabet[random() % alphabet.size()];
            switch (random() % 3) {
                case 0:
                    json[at] = c;
                    break;
                case 1:
                    json.insert(at, 1, c);
                    break;
                default:
                    json.erase(at, 1);
            }
        }
        boost::json::error_code ec;
        static_cast<void>(boost::json::parse(json, ec));
        const std::string fault = fault_in(json);
        const bool stricter = fault.find("\\u0000") != std::string::npos ||
                              fault.find("exponent") != std::string::npos;
        CAPTURE(json);
        CAPTURE(fault);
        REQUIRE((stricter || fault.empty() == !ec));
    }
}

TEST_CASE("text: any output of a handler is kept as JSON within the bound") {
    CHECK(core::storable_json(R"({"ok":true})", 100) == R"({"ok":true})");
    CHECK(core::storable_json("done", 100) == R"("done")");
    CHECK(core::storable_json("a\0\xFF\"\\\n\x1F"s, 100) ==
          "\"a" + fffd + fffd + R"(\"\\\n\u001f")");
    CHECK(core::storable_json(R"("\u0000")", 100) == R"("\"\\u0000\"")");

    const std::string large = "[" + std::string(200, ' ') + "]";
    const std::string kept = core::storable_json(large, 60);
    CHECK(kept.size() == 60);
    CHECK(core::json_storable(kept).has_value());
    CHECK(kept.find("[truncated, 202 bytes]") != std::string::npos);
}

TEST_SUITE_END();
