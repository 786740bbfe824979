#include "openapi.hpp"

#include "rights.hpp"
#include "route.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace api = workerd::api;
namespace json = boost::json;

namespace {

json::value described() {
    return json::parse(api::openapi_text());
}

template <typename Look>
void for_each_operation(const json::value& whole, Look look) {
    for (const auto& [path, methods] : whole.at("paths").as_object())
        for (const auto& [method, operation] : methods.as_object())
            look(std::string{path}, std::string{method}, operation.as_object());
}

void check_references(const json::value& in, const json::value& whole) {
    if (const auto* object = in.if_object()) {
        if (const auto* to = object->if_contains("$ref")) {
            const std::string target{to->as_string()};
            REQUIRE(target.starts_with("#/"));
            CHECK_NOTHROW(static_cast<void>(whole.at_pointer(target.substr(1))));
        }
        for (const auto& [name, value] : *object)
            check_references(value, whole);
    }
    if (const auto* array = in.if_array())
        for (const auto& value : *array)
            check_references(value, whole);
}

}  // namespace

TEST_SUITE("openapi") {
    TEST_CASE("openapi: docs/openapi.json is what workerd --print-openapi prints") {
        std::ifstream file{std::string{LIBQUEUE_SOURCE_FOLDER} + "/docs/openapi.json"};
        const std::string kept{std::istreambuf_iterator<char>{file},
                               std::istreambuf_iterator<char>{}};
        const bool is_current = kept == api::openapi_text();
        CHECK_MESSAGE(is_current, "run: workerd --print-openapi > docs/openapi.json");
    }

    TEST_CASE("openapi: has the structure of 3.1") {
        const auto whole = described();
        CHECK(whole.at("openapi") == "3.1.0");
        CHECK(whole.at("info").at("title").is_string());
        CHECK(whole.at("info").at("version").is_string());
        check_references(whole, whole);
        std::set<std::string> ids;
        std::size_t count = 0;
        for_each_operation(whole, [&](const std::string& path, const std::string& method,
                                      const json::object& operation) {
            CAPTURE(path);
            CAPTURE(method);
            ++count;
            CHECK(path.starts_with("/api/v1/"));
            CHECK(ids.insert(std::string{operation.at("operationId").as_string()}).second);
            CHECK_FALSE(operation.at("summary").as_string().empty());
            bool has_success = false;
            for (const auto& [status, response] : operation.at("responses").as_object())
                has_success = has_success || status.starts_with("2");
            CHECK(has_success);
            CHECK((method != "get" || !operation.contains("requestBody")));
        });
        CHECK(count == api::all_routes().size());
    }

    TEST_CASE("openapi: every segment in braces is a required parameter, and no other is") {
        const auto whole = described();
        for_each_operation(
            whole, [&](const std::string& path, const std::string&, const json::object& operation) {
                CAPTURE(path);
                std::set<std::string> wanted;
                for (auto at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1))
                    wanted.insert(path.substr(at + 1, path.find('}', at) - at - 1));
                if (const auto* parameters = operation.if_contains("parameters"))
                    for (const auto& each : parameters->as_array()) {
                        const auto& row = each.as_object();
                        if (!row.contains("in") || row.at("in") != "path")
                            continue;
                        CHECK(row.at("required").as_bool());
                        CHECK(wanted.erase(std::string{row.at("name").as_string()}) == 1);
                    }
                CHECK(wanted.empty());
            });
    }

    TEST_CASE("openapi: every route but the open ones names a right that exists") {
        for (const auto& each : api::all_routes()) {
            CAPTURE(each.path);
            CHECK((each.right.empty() || api::find_right(each.right) != nullptr));
            CHECK((!each.right.empty() || each.path == "/openapi.json"));
        }
    }
}
