#include "api_matrix.hpp"

#include "rights.hpp"
#include "route.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace api = workerd::api;
using libqueue::role;
using test::api_reply;
using test::api_request;
using test::matrix_row;

namespace {

std::string filled(std::string text, const std::string& with) {
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@', at + with.size()))
        if (text.compare(at, 6, "@daily") != 0 && text.compare(at, 7, "@yearly") != 0)
            text.replace(at, 1, with);
        else
            ++at;
    return text;
}

class seat {
   public:
    role as;
    std::string tenant;  ///< empty: all
    std::string token;
};

class matrix {
   public:
    matrix() {
        mine_ = rig_.tenant("mine");
        other_ = rig_.tenant("other");
        for (const auto as : {role::viewer, role::operate, role::admin})
            for (const auto& tenant : {mine_, other_, std::string{}})
                seats_.push_back(
                    {as, tenant,
                     rig_.token(as, tenant.empty() ? std::nullopt : std::optional{tenant})});
        expired_ = rig_.token(role::admin, mine_, std::chrono::seconds{1});
        libqueue_limit();
    }

    api_reply ask(const api::route& to, const matrix_row& row, const std::string& token) {
        const auto made = row.prepare ? row.prepare(rig_.db(), mine_) : std::string{};
        return rig_.ask(api_request{std::string{api::to_string(to.method)},
                                    filled(row.target, made), token, filled(row.body, made)});
    }

    void check_strangers(const api::route& to, const matrix_row& row) {
        const bool is_open = to.right.empty();
        CHECK(ask(to, row, "").status == (is_open ? to.status : 401));
        CHECK(ask(to, row, expired_).status == (is_open ? to.status : 401));
    }

    void check_seat(const api::route& to, const matrix_row& row, const seat& who) {
        const auto reply = ask(to, row, who.token);
        const std::optional<std::string> tenant =
            who.tenant.empty() ? std::nullopt : std::optional{who.tenant};
        const libqueue::principal principal{"p", who.as, tenant};
        CAPTURE(row.route);
        CAPTURE(libqueue::to_string(who.as));
        CAPTURE(who.tenant);
        CAPTURE(reply.body);
        check_audit(to, row, reply);
        if (!to.right.empty() && !api::has_right(principal, to.right, {})) {
            CHECK(reply.status == 403);
            return;
        }
        if (row.of == matrix_row::whose::own && who.tenant == other_) {
            CHECK(reply.status == 404);
            return;
        }
        // Names are of a tenant: for a token of all tenants they need tenant_id.
        const bool by_name = who.tenant.empty() && row.of == matrix_row::whose::own &&
                             to.path.find("{name}") != std::string_view::npos;
        const bool fits = reply.status == (by_name ? 404 : to.status) ||
                          std::ranges::find(row.also, reply.status) != row.also.end();
        CHECK(fits);
        if (who.tenant == other_)
            CHECK(reply.body.find(mine_) == std::string::npos);
    }

    void check(const api::route& to, const matrix_row& row) {
        check_strangers(to, row);
        for (const auto& who : seats_)
            check_seat(to, row, who);
    }

    // What was done is recorded once, what was refused or only read is not.
    void check_audit(const api::route& to, const matrix_row& row, const api_reply& reply) {
        const bool did = to.method != api::verb::get && row.is_act && reply.status < 300;
        const auto request = reply.header("x-request-id");
        REQUIRE(!request.empty());
        CHECK(rig_.db().query("SELECT count(*) FROM queue.audit WHERE request_id = $1",
                              {request}) == (did ? "1" : "0"));
    }

    // A token of one second has ended when this returns.
    void await_expiry() {
        while (rig_.get("/whoami", expired_).status != 401) {
        }
    }

   private:
    void libqueue_limit() {
        const auto admin = seats_.back().token;
        REQUIRE(rig_.ask(api_request{"PUT", "/limits/m", admin, R"({"rate":5})"}).status == 200);
    }

    test::api_rig rig_;
    std::string mine_;
    std::string other_;
    std::string expired_;
    std::vector<seat> seats_;
};

}  // namespace

TEST_SUITE("api matrix") {
    TEST_CASE("api matrix: each route answers each role, tenant and stranger as it should") {
        matrix all;
        all.await_expiry();
        std::set<std::string> known;
        for (const auto& row : test::matrix_rows())
            known.insert(row.route);
        for (const auto& to : api::all_routes()) {
            if (to.answers == api::shape::events)
                continue;
            const auto name = std::string{api::to_string(to.method)} + ' ' + std::string{to.path};
            const auto row = std::ranges::find(test::matrix_rows(), name, &matrix_row::route);
            if (row == test::matrix_rows().end()) {
                FAIL_CHECK("no row for " << name);
                continue;
            }
            known.erase(name);
            all.check(to, *row);
        }
        for (const auto& left : known)
            FAIL_CHECK("no route for the row " << left);
    }
}
