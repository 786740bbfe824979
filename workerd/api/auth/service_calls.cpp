#include "auth/service_calls.hpp"

#include "processors/support/secret.hpp"
#include "sha256.hpp"

#include <libqueue/statement.hpp>
#include <sql/api_take_nonce.hpp>

namespace workerd::api {

service_calls::service_calls(const std::vector<known_service>& services) {
    for (const auto& each : services) {
        for (const auto& key : each.keys)
            verifier_.allow(each.name, libqueue::processors::secret{key});
        who_.emplace(each.name,
                     libqueue::principal{"service:" + each.name, each.role, each.tenant_id});
    }
}

std::optional<caller> service_calls::find(const libqueue::processors::received_call& call,
                                          bool changes, libqueue::client& database) {
    const auto service = verifier_.verify(call);
    if (service.has_error())
        return std::nullopt;
    if (changes) {
        // A nonce is random: nobody has the same by chance, and no key of a request looks like it.
        const auto nonce =
            sha256_hex("nonce\n" + *service + '\n' + call.header("x-internal-nonce"));
        const libqueue::statement taken{std::string{libqueue::sql::api_take_nonce}, {nonce}};
        if (database.query(taken).value().empty())
            return std::nullopt;
    }
    caller found;
    found.who = who_.at(*service);
    return found;
}

}  // namespace workerd::api
