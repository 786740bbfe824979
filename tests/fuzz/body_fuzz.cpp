#include "api_call.hpp"
#include "problem.hpp"
#include "router.hpp"
#include "surroundings.hpp"

#include <libqueue/client.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// Path, query and body of one route that has a row of every type. What gets past the checks must
// be what the rows say; what does not must be refused with a status of 4xx.

namespace api = workerd::api;
using api::field;
using api::value_type;

namespace {

api::answer nothing(api::api_call&) {
    return api::reply_nothing();
}

constexpr std::array query_rows{
    field{"count", value_type::integer, "", false, 1, 9},
    field{"flag", value_type::boolean},
    field{"at", value_type::time},
    field{"kind", value_type::text, "", false, 0, 0, "a|b"},
    field{"who", value_type::uuid},
    field{"share", value_type::number, "", false, 0, 1},
};
constexpr std::array body_rows{
    field{"name", value_type::text, "", true, 1, 8},
    field{"count", value_type::integer, "", false, 1, 9},
    field{"share", value_type::number, "", false, 0, 1},
    field{"flag", value_type::boolean},
    field{"at", value_type::time},
    field{"tags", value_type::list, "", false, 0, 3},
    field{"payload", value_type::json},
    field{"meta", value_type::object},
};
constexpr std::array rows{
    api::route{.method = api::verb::post,
               .path = "/things/{id}/of/{name}",
               .summary = "",
               .parameters = query_rows,
               .body = body_rows,
               .pages = true,
               .run = nothing},
};

void expect(bool holds) {
    if (!holds)
        std::abort();
}

std::string_view cut(std::string_view& from) {
    const auto end = from.find('\0');
    const auto part = from.substr(0, end);
    from.remove_prefix(end == std::string_view::npos ? from.size() : end + 1);
    return part;
}

void look(const api::router& router, std::string_view text) {
    static libqueue::client database{libqueue::client_options{}};
    static const api::surroundings around{"fuzz", false};
    static const libqueue::principal who{"fuzz", libqueue::role::admin};
    const auto path = cut(text);
    const auto found = router.find(api::verb::post, path);
    if (found.found == nullptr)
        return;
    api::request_facts facts;
    facts.path = found.path;
    facts.query = api::parse_query(cut(text));
    facts.body = text;
    const api::api_call call{*found.found, facts, who, database, around};
    expect(call.id() > 0);
    expect(!call.name().empty());
    expect(call.limit() >= 1 && call.limit() <= 500);
    expect(call.integer("count").value_or(1) >= 1 && call.integer("count").value_or(1) <= 9);
    const auto name = call.member_text("name");
    expect(name && !name->empty() && name->size() <= 8);
    expect(name->find('\0') == std::string::npos);
    expect(call.member_number("share").value_or(0) <= 1);
    expect(call.member_texts("tags").value_or(std::vector<std::string>{}).size() <= 3);
    static_cast<void>(call.cursor_id());
    static_cast<void>(call.member_time("at"));
    static_cast<void>(call.member_json("payload"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const api::router router{rows};
    try {
        look(router, {reinterpret_cast<const char*>(data), size});
    } catch (const api::refused& why) {
        expect(why.why().status >= 400 && why.why().status < 500);
        // A problem is JSON whatever it speaks of.
        static_cast<void>(api::problem_text(why.why(), "id"));
    }
    return 0;
}
