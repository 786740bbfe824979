#include "api_call.hpp"
#include "qctl/instant.hpp"
#include "rights.hpp"
#include "routes/routes.hpp"
#include "surroundings.hpp"

#include <libqueue/version.hpp>

#include <boost/json/array.hpp>

#include <array>

namespace workerd::api {

namespace {

// Who am I, and what may I do here: the first thing a front end asks.
answer whoami(api_call& call) {
    const auto& who = call.who();
    boost::json::object body;
    body["actor"] = who.actor;
    body["role"] = std::string{libqueue::to_string(who.role)};
    body["tenant_id"] = who.tenant_id ? boost::json::value(*who.tenant_id) : nullptr;
    boost::json::array rights;
    for (const auto& each : rights_of(who, *call.around().operator_rights()))
        rights.emplace_back(each);
    body["rights"] = std::move(rights);
    const auto& expires = call.facts().expires;
    body["expires_at"] = expires ? boost::json::value(qctl::iso_instant(*expires)) : nullptr;
    body["version"] = std::string{libqueue::version};
    body["dev"] = call.around().dev();
    body["instance"] = call.around().instance();
    return reply_json(body);
}

constexpr std::array rows{
    route{.path = "/whoami",
          .right = "self.read",
          .summary = "Who the token belongs to and what it may do.",
          .run = whoami},
};

}  // namespace

std::span<const route> self_routes() {
    return rows;
}

}  // namespace workerd::api
