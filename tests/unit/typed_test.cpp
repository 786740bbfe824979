#include "core/text.hpp"

#include <libqueue/typed.hpp>

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lq = libqueue;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

enum class size : std::uint8_t { small = 1, large = 200 };
enum class colour { red, green };

struct item {
    std::string sku;
    int price = 7;
    bool operator==(const item&) const = default;
};

struct send_email {
    static constexpr lq::kind_name kind{"email.send"};
    std::string to;
    std::string subject{"(none)"};
    std::optional<std::string> reply_to;
    int copies = 1;
};

struct everything {
    static constexpr lq::kind_name kind{"test.everything"};
    bool flag = false;
    std::int8_t tiny = 0;
    std::int64_t large = 0;
    std::uint64_t huge = 0;
    double real = 0;
    float small_real = 0;
    std::string text;
    std::optional<int> maybe;
    std::vector<item> items;
    std::vector<bool> bits;
    std::map<std::string, double> rates;
    std::unordered_map<std::string, std::vector<int>> groups;
    item one;
    size how_large = size::small;
    colour paint = colour::red;
    std::chrono::milliseconds wait{250};
    boost::json::value anything;
    bool operator==(const everything&) const = default;
};

struct nothing {
    static constexpr lq::kind_name kind{"test.nothing"};
};

struct tree {
    static constexpr lq::kind_name kind{"test.tree"};
    int leaf = 0;
    std::vector<tree> children;
    std::optional<std::map<std::string, tree>> named;
};

struct engaged {
    static constexpr lq::kind_name kind{"test.engaged"};
    std::optional<int> limit = 5;
    std::optional<int> other;
};

struct thirty_two {
    static constexpr lq::kind_name kind{"test.thirty_two"};
    int f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16;
    int f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32;
};

class point {
   public:
    point() = default;
    point(int x, int y) : x_{x}, y_{y} {}
    int x_{0};
    int y_{0};
};

struct route {
    static constexpr lq::kind_name kind{"test.route"};
    std::vector<point> points;
};

// What must not be taken for a job type.
struct no_kind {
    int a;
};
struct text_kind {
    static constexpr std::string_view kind{"a"};
};
class closed {
   public:
    static constexpr lq::kind_name kind{"a"};
    explicit closed(int a) : a_{a} {}

    [[nodiscard]] int a() const { return a_; }

   private:
    int a_;
};

template <typename T>
std::string error_of(std::string_view json) {
    const auto decoded = lq::decode<T>(json);
    return decoded ? "" : decoded.error().message;
}

template <typename T>
std::string encode_error(const T& value) {
    try {
        static_cast<void>(lq::encode(value));
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "";
}

}  // namespace

template <>
struct libqueue::codec<colour> {
    static boost::json::value encode(const colour& value) {
        return value == colour::red ? "red" : "green";
    }
    static libqueue::result<colour> decode(const boost::json::value& json) {
        if (json == "red") {
            return colour::red;
        }
        if (json == "green") {
            return colour::green;
        }
        return libqueue::error{libqueue::errc::invalid_payload, "expected red or green"};
    }
    static boost::json::object schema() {
        return boost::json::parse(R"({"enum":["red","green"]})").as_object();
    }
};

template <>
struct libqueue::codec<point> {
    static boost::json::value encode(const point& value) {
        return boost::json::array{value.x_, value.y_};
    }
    static libqueue::result<point> decode(const boost::json::value& json) {
        const auto* both = json.if_array();
        if (both == nullptr || both->size() != 2 || !(*both)[0].is_int64() ||
            !(*both)[1].is_int64()) {
            return libqueue::error{libqueue::errc::invalid_payload, "expected two integers"};
        }
        return point{static_cast<int>((*both)[0].get_int64()),
                     static_cast<int>((*both)[1].get_int64())};
    }
};

static_assert(lq::job_type<send_email> && lq::job_type<everything> && lq::job_type<nothing>);
static_assert(!lq::job_type<no_kind> && !lq::job_type<text_kind> && !lq::job_type<closed>);
static_assert(!lq::job_type<int> && !lq::job_type<std::string>);
static_assert(lq::detail::field_count<nothing> == 0);
static_assert(lq::detail::field_count<everything> == 17);
static_assert(lq::detail::field_names<send_email>[2] == "reply_to");
static_assert(lq::detail::field_names<thirty_two>[31] == "f32");
static_assert(lq::detail::type_name<std::vector<tree>> == "vector");

TEST_SUITE_BEGIN("typed");

TEST_CASE("typed: a kind is 1 to 64 of a-z 0-9 _ . -") {
    for (const std::string& name : {"a"s, "email.send"s, "x_1.y-2"s, std::string(64, 'k')}) {
        CHECK(lq::is_kind_name(name));
    }
    for (const std::string& name : {""s, "Email"s, "a b"s, "a'b"s, "a\0b"s, "caf\xC3\xA9"s, "a;--"s,
                                    "a*"s, std::string(65, 'k')}) {
        CHECK_FALSE(lq::is_kind_name(name));
    }
    CHECK(send_email::kind.view() == "email.send");
}

TEST_CASE("typed: a struct is written with the names of its fields, in order") {
    CHECK(lq::encode(send_email{"a@b.c", "Hi", {}, 2}) ==
          R"({"to":"a@b.c","subject":"Hi","copies":2})");
    CHECK(lq::encode(send_email{"a", "b", "r", 1}) ==
          R"({"to":"a","subject":"b","reply_to":"r","copies":1})");
    CHECK(lq::encode(nothing{}) == "{}");
}

TEST_CASE("typed: every supported type reads back as it was") {
    everything in;
    in.flag = true;
    in.tiny = -128;
    in.large = std::numeric_limits<std::int64_t>::min();
    in.huge = std::numeric_limits<std::uint64_t>::max();
    in.real = 0.1;
    in.small_real = 0.3F;
    in.text = "\"quoted\" \\ \n\t\x01\x7F \xE2\x82\xAC \xF0\x9F\x8E\xAB";
    in.maybe = -3;
    in.items = {{"a", 1}, {"b", -2}};
    in.bits = {true, false, true};
    in.rates = {{"eur", 1.25}, {"g\"k", -0.0}};
    in.groups = {{"x", {1, 2}}, {"y", {}}};
    in.one = {"z", 9};
    in.how_large = size::large;
    in.paint = colour::green;
    in.wait = 90min;
    in.anything = boost::json::parse(R"({"k":[1,"two",null,2.5]})");

    const std::string json = lq::encode(in);
    CAPTURE(json);
    const auto out = lq::decode<everything>(json);

    REQUIRE(out.has_value());
    CHECK(*out == in);
    CHECK(libqueue::core::json_storable(json).has_value());
    CHECK(json.find(R"("how_large":200,"paint":"green","wait":5400000)") != std::string::npos);
}

TEST_CASE("typed: absent fields keep their defaults and unknown ones are ignored") {
    const auto mail = lq::decode<send_email>(R"({"later":[{"x":1}],"to":"a@b.c"})");

    REQUIRE(mail.has_value());
    CHECK(mail->to == "a@b.c");
    CHECK(mail->subject == "(none)");
    CHECK_FALSE(mail->reply_to.has_value());
    CHECK(mail->copies == 1);
    CHECK(lq::decode<everything>("{}")->wait == 250ms);
    CHECK(lq::decode<nothing>(R"({"a":1})").has_value());
}

TEST_CASE("typed: null is a value of optional fields only") {
    CHECK(lq::decode<send_email>(R"({"reply_to":null})").has_value());
    CHECK(error_of<send_email>(R"({"subject":null})") ==
          "email.send: $.subject: expected string, got null");
    CHECK(lq::decode<everything>(R"({"anything":null})")->anything.is_null());
}

TEST_CASE("typed: an empty optional with another default says null") {
    engaged value;
    CHECK(lq::encode(value) == R"({"limit":5})");
    value.limit.reset();
    CHECK(lq::encode(value) == R"({"limit":null})");
    CHECK_FALSE(lq::decode<engaged>(lq::encode(value))->limit.has_value());
    CHECK(lq::decode<engaged>("{}")->limit == 5);
}

TEST_CASE("typed: a wrong type or range is an error that names the path") {
    const std::vector<std::pair<const char*, const char*>> table{
        {R"([])", "$: expected object, got array"},
        {R"("x")", "$: expected object, got string"},
        {R"({"flag":1})", "$.flag: expected boolean, got integer"},
        {R"({"flag":"true"})", "$.flag: expected boolean, got string"},
        {R"({"tiny":128})", "$.tiny: expected integer from -128 to 127, got a number outside"},
        {R"({"tiny":-129})", "$.tiny: expected integer from -128 to 127, got a number outside"},
        {R"({"tiny":18446744073709551615})",
         "$.tiny: expected integer from -128 to 127, got a number outside"},
        {R"({"large":9223372036854775808})",
         "$.large: expected integer from -9223372036854775808 to 9223372036854775807, "
         "got a number outside"},
        {R"({"huge":-1})",
         "$.huge: expected integer from 0 to 18446744073709551615, got a number outside"},
        {R"({"huge":18446744073709551616})", "$.huge: expected integer, got number"},
        {R"({"large":1.5})", "$.large: expected integer, got number"},
        {R"({"large":1e300})", "$.large: expected integer, got number"},
        {R"({"large":"1"})", "$.large: expected integer, got string"},
        {R"({"large":true})", "$.large: expected integer, got boolean"},
        {R"({"real":"1"})", "$.real: expected number, got string"},
        {R"({"small_real":1e39})", "$.small_real: expected number, got one out of range"},
        {R"({"text":7})", "$.text: expected string, got integer"},
        {R"({"maybe":"x"})", "$.maybe: expected integer, got string"},
        {R"({"items":{}})", "$.items: expected array, got object"},
        {R"({"items":[{},{},{"price":"x"}]})", "$.items[2].price: expected integer, got string"},
        {R"({"items":[{},null]})", "$.items[1]: expected object, got null"},
        {R"({"bits":[true,0]})", "$.bits[1]: expected boolean, got integer"},
        {R"({"rates":[]})", "$.rates: expected object, got array"},
        {R"({"rates":{"secret":"x"}})", "$.rates.*: expected number, got string"},
        {R"({"groups":{"g":[1,[]]}})", "$.groups.*[1]: expected integer, got array"},
        {R"({"one":{"price":2147483648}})",
         "$.one.price: expected integer from -2147483648 to 2147483647, got a number outside"},
        {R"({"how_large":256})",
         "$.how_large: expected integer from 0 to 255, got a number outside"},
        {R"({"paint":"blue"})", "$.paint: expected red or green"},
        {R"({"wait":"5s"})", "$.wait: expected integer, got string"},
    };

    for (const auto& row : table) {
        const auto& json = row.first;
        const auto& why = row.second;
        CAPTURE(json);
        CHECK(error_of<everything>(json) == "test.everything: "s + why);
    }
    CHECK(lq::decode<everything>("[]").error().code == lq::errc::invalid_payload);
}

TEST_CASE("typed: whole numbers written as 3.0 are integers, beyond 2^53 they are not") {
    CHECK(lq::decode<everything>(R"({"large":3.0,"huge":4e3})")->large == 3);
    CHECK(lq::decode<everything>(R"({"huge":4e3})")->huge == 4'000);
    CHECK(lq::decode<everything>(R"({"real":3})")->real == 3.0);
    CHECK(lq::decode<everything>(R"({"large":9007199254740992.0})")->large == 1LL << 53);
    CHECK(error_of<everything>(R"({"large":9007199254740994.0})") ==
          "test.everything: $.large: expected integer, got number");
}

TEST_CASE("typed: 64-bit integers and doubles are exact") {
    constexpr unsigned seed = 31;
    CAPTURE(seed);
    std::mt19937_64 random{seed};

    for (int i = 0; i < 1'000; ++i) {
        everything in;
        in.huge = random() >> (random() % 64);
        in.large = static_cast<std::int64_t>(random()) >> (random() % 64);
        const std::uint64_t bits = random();
        std::memcpy(&in.real, &bits, sizeof bits);
        if (!std::isfinite(in.real)) {
            continue;
        }
        in.anything = in.real;
        const auto out = lq::decode<everything>(lq::encode(in));
        REQUIRE(out.has_value());
        REQUIRE(out->huge == in.huge);
        REQUIRE(out->large == in.large);
        REQUIRE(out->real == in.real);
        REQUIRE(out->anything == in.anything);
    }
}

TEST_CASE("typed: numbers beyond a double are an error, below the least are zero") {
    CHECK(error_of<everything>(R"({"real":1e400})").find("expected JSON") != std::string::npos);
    CHECK(lq::decode<everything>(R"({"real":1e-400})")->real == 0.0);
    CHECK(lq::decode<everything>(R"({"real":5e-324})")->real > 0.0);
}

TEST_CASE("typed: what cannot be stored is refused with its path") {
    send_email mail;
    mail.to = "\xC3(";
    CHECK(encode_error(mail) ==
          "email.send: $.to: expected valid UTF-8 without NUL, got other bytes");
    mail.to = "a\0b"s;
    CHECK(encode_error(mail) ==
          "email.send: $.to: expected valid UTF-8 without NUL, got other bytes");

    everything all;
    all.items = {{"fine", 1}, {"\xED\xA0\x80", 1}};
    CHECK(encode_error(all) ==
          "test.everything: $.items[1].sku: expected valid UTF-8 without NUL, got other bytes");
    all.items.clear();
    all.rates = {{"\xFF", 1.0}};
    CHECK(encode_error(all).rfind("test.everything: $.rates.*: expected valid UTF-8", 0) == 0);
    all.rates = {{"a", std::numeric_limits<double>::quiet_NaN()}};
    CHECK(encode_error(all) ==
          "test.everything: $.rates.*: expected a finite number, got NaN or infinity");
    all.rates.clear();
    all.anything = boost::json::array{1, std::numeric_limits<double>::infinity()};
    CHECK(encode_error(all) ==
          "test.everything: $.anything[1]: expected a finite number, got NaN or infinity");
}

TEST_CASE("typed: a type may contain itself, to a limit") {
    tree root;
    root.named = {{"a", tree{1, {}, {}}}, {"b", tree{2, {tree{3, {}, {}}}, {}}}};
    const auto out = lq::decode<tree>(lq::encode(root));
    REQUIRE(out.has_value());
    CHECK(out->named->at("b").children.at(0).leaf == 3);

    tree deep;
    for (int i = 0; i < 100; ++i) {
        tree parent;
        parent.children.push_back(std::move(deep));
        deep = std::move(parent);
    }
    CHECK(encode_error(deep).find("expected at most 128 levels, got more") != std::string::npos);
}

TEST_CASE("typed: bad JSON is a clean error that does not quote it") {
    for (const std::string& json :
         {""s, "{"s, "nul"s, "{}x"s, R"({"to":"a)"s, "{\"to\":\"\xFF\"}"s, R"({"to":"\uD800"})"s,
          "{'to':1}"s, R"({"to":secret})"s, std::string(20'000, '['),
          std::string(20'000, '[') + std::string(20'000, ']')}) {
        const std::string message = error_of<send_email>(json);
        CAPTURE(message);
        CHECK(message.rfind("expected JSON, got a fault at byte ", 0) == 0);
        CHECK(message.find("secret") == std::string::npos);
        CHECK(message.size() < 200);
    }
}

TEST_CASE("typed: 32 fields are read and written") {
    thirty_two in{};
    in.f01 = 1;
    in.f32 = 32;
    const auto out = lq::decode<thirty_two>(lq::encode(in));

    REQUIRE(out.has_value());
    CHECK(out->f01 == 1);
    CHECK(out->f32 == 32);
}

TEST_CASE("typed: a codec gives a class its form") {
    route way;
    way.points = {point{1, 2}, point{3, 4}};
    CHECK(lq::encode(way) == R"({"points":[[1,2],[3,4]]})");
    CHECK(lq::decode<route>(lq::encode(way))->points.at(1).y_ == 4);
    CHECK(error_of<route>(R"({"points":[[1,2],[3]]})") ==
          "test.route: $.points[1]: expected two integers");
}

TEST_CASE("typed: a struct of a function body works too") {
    struct local {
        int first_of_two = 1;
        std::string second_of_two;
    };
    static_assert(lq::detail::field_names<local>[1] == "second_of_two");
    static_assert(lq::detail::type_name<local> == "local");
}

TEST_CASE("typed: a job carries kind and payload") {
    const lq::new_job job = lq::to_job(send_email{"a@b.c", "Hi", {}, 1});

    CHECK(job.kind == "email.send");
    CHECK(job.payload == R"({"to":"a@b.c","subject":"Hi","copies":1})");
}

TEST_CASE("typed: the schema tells types, ranges and defaults") {
    CHECK(lq::json_schema<send_email>() ==
          R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"email.send",)"
          R"("type":"object","properties":{"to":{"type":"string","default":""},)"
          R"~("subject":{"type":"string","default":"(none)"},)~"
          R"("reply_to":{"anyOf":[{"type":"string"},{"type":"null"}]},)"
          R"("copies":{"type":"integer","minimum":-2147483648,"maximum":2147483647,)"
          R"("default":1}}})");

    const std::string all = lq::json_schema<everything>();
    CAPTURE(all);
    CHECK(libqueue::core::json_storable(all).has_value());
    for (const char* part :
         {R"("huge":{"type":"integer","minimum":0,"maximum":18446744073709551615,"default":0})",
          R"("items":{"type":"array","items":{"$ref":"#/$defs/item"},"default":[]})",
          R"("one":{"$ref":"#/$defs/item"})",
          R"("$defs":{"item":{"type":"object","properties":{"sku":)",
          R"("paint":{"enum":["red","green"],"default":"red"})",
          R"("how_large":{"type":"integer","minimum":0,"maximum":255,"default":1})",
          R"("description":"milliseconds","default":250)", R"("anything":{})"}) {
        CAPTURE(part);
        CHECK(all.find(part) != std::string::npos);
    }
}

TEST_CASE("typed: the schema of a type that contains itself ends") {
    const std::string schema = lq::json_schema<tree>();

    CHECK(schema.find(R"("children":{"type":"array","items":{"$ref":"#"},"default":[]})") !=
          std::string::npos);
    CHECK(schema.find("$defs") == std::string::npos);
}

TEST_SUITE_END();
