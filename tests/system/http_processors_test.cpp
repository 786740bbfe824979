#include "api_rig.hpp"
#include "support/http_receiver.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

// Routes about what belongs to processors, with the processors there: endpoints of webhooks, what
// was delivered to them, mail templates.

using libqueue::role;
using test::api_reply;
using test::api_request;

namespace {

/// A workerd that delivers webhooks and sends mail, and a receiver.
class shop {
   public:
    shop() {
        REQUIRE(test::wait_until([this] {
            return rig.db().query(
                       "SELECT to_regclass('webhooks.endpoint') IS NOT NULL AND "
                       "to_regclass('mail.template') IS NOT NULL") == "t";
        }));
    }

    [[nodiscard]] std::string endpoint(const std::string& tenant, const std::string& path) const {
        return rig.db().query(
            "SELECT webhooks.endpoint_create($1::uuid, $2, waits => '{}'::interval[])",
            {tenant, receiver.url(path)});
    }
    void publish(const std::string& tenant, const std::string& event) const {
        rig.db().execute("SELECT webhooks.publish($1::uuid, 'order.paid', '{\"n\":1}', $2)",
                         {tenant, event});
    }
    [[nodiscard]] bool logs(int deliveries) const {
        return test::wait_until([&] {
            return rig.db().query("SELECT count(*) FROM webhooks.delivery") ==
                   std::to_string(deliveries);
        });
    }
    [[nodiscard]] api_reply post(const std::string& target, const std::string& token,
                                 const std::string& body = {}) const {
        return rig.ask(api_request{"POST", target, token, body});
    }

   private:
    [[nodiscard]] std::string config() const {
        const auto secret = files_.write("secret", "whsec_" + std::string(32, 'A'));
        const auto master = files_.write("master", std::string(64, 'a'));
        for (const auto& file : {secret, master})
            std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        return "processors:\n  webhook: {allow_private: true, allow_http: true, timeout: 5s, "
               "secret_file: " +
               secret.string() + ", endpoint_key_file: " + master.string() +
               "}\n  email: {host: 127.0.0.1, port: 9, tls: none, from: shop@example.com}\n";
    }

    test::temp_dir files_;

   public:
    test::http_receiver receiver;
    test::api_rig rig{config()};
};

std::set<std::int64_t> ids_of(const api_reply& page) {
    std::set<std::int64_t> all;
    const auto body = page.json();
    for (const auto& item : body.at("items").as_array())
        all.insert(item.at("id").as_int64());
    return all;
}

std::size_t items_of(const api_reply& page) {
    return page.json().at("items").as_array().size();
}

}  // namespace

TEST_SUITE("http processors") {
    TEST_CASE("http processors: endpoints are listed, switched off and on, and told of by event") {
        shop s;
        const auto mine = s.rig.tenant("mine");
        const auto token = s.rig.token(role::admin, mine);
        const auto first = s.endpoint(mine, "/first");
        const auto second = s.endpoint(mine, "/second");
        s.publish(mine, "e1");
        REQUIRE(s.receiver.wait_for_requests(2));
        REQUIRE(s.logs(2));

        const auto page = s.rig.get("/webhooks/endpoints?limit=1", token);
        const auto rest = s.rig.get("/webhooks/endpoints?cursor=" + page.text("next"), token);
        REQUIRE(items_of(page) == 1);
        REQUIRE(items_of(rest) == 1);
        const auto shown = page.json().at("items").at(0);
        CHECK(shown.at("id").as_int64() == std::stoll(first));
        CHECK(shown.at("state").as_string() == "enabled");
        CHECK(shown.at("delivered").as_int64() == 1);
        CHECK(shown.at("last_outcome").as_string() == "delivered");
        CHECK(ids_of(rest) == std::set<std::int64_t>{std::stoll(second)});

        const auto off = s.post("/webhooks/endpoints/" + first + "/disable", token,
                                R"({"reason":"moving house"})");
        REQUIRE_MESSAGE(off.status == 200, off.body);
        const auto after = s.rig.get("/webhooks/endpoints", token).json().at("items").at(0);
        CHECK(after.at("state").as_string() == "disabled");
        CHECK(after.at("reason").as_string() == "moving house");
        // Disabled: nothing is sent, and nothing can be sent again.
        s.publish(mine, "e2");
        REQUIRE(s.logs(3));
        CHECK(s.receiver.requests().back().target == "/second");
        const auto again = [&](const std::string& event, const std::string& to) {
            return s.post("/webhooks/deliveries/" + event + "/replay", token,
                          R"({"endpoint":)" + to + '}');
        };
        CHECK(again("e1", first).status == 409);

        CHECK(s.post("/webhooks/endpoints/" + first + "/enable", token).status == 200);
        const auto replayed = again("e2", first);
        REQUIRE_MESSAGE(replayed.status == 200, replayed.body);
        CHECK(replayed.json().at("job_id").as_int64() > 0);
        REQUIRE(s.receiver.wait_for_requests(4));
        const auto request = s.receiver.requests().back();
        CHECK(request.target == "/first");
        CHECK(request.header("webhook-id") == "e2");
        CHECK(request.header("webhook-signature").starts_with("v1,"));
        CHECK(again("e9", first).status == 404);
        CHECK(s.post("/webhooks/deliveries/e1/replay", token, "{}").status == 400);

        const auto audit = s.rig.get("/audit?action=endpoints.*", token);
        CHECK(audit.body.find("endpoints.disable") != std::string::npos);
        CHECK(audit.body.find("endpoints.enable") != std::string::npos);
    }

    TEST_CASE("http processors: deliveries say what became of them and nothing of what was sent") {
        shop s;
        const auto mine = s.rig.tenant("mine");
        const auto token = s.rig.token(role::viewer, mine);
        const auto good = s.endpoint(mine, "/good");
        s.publish(mine, "e1");
        REQUIRE(s.logs(1));
        s.receiver.reply_with([](const test::http_request&) { return test::http_reply{410}; });
        s.publish(mine, "e2");
        REQUIRE(s.logs(2));

        const auto all = s.rig.get("/webhooks/deliveries", token);
        REQUIRE(items_of(all) == 2);
        const auto newest = all.json().at("items").at(0);
        CHECK(newest.at("event_id").as_string() == "e2");
        CHECK(newest.at("status").as_int64() == 410);
        CHECK(newest.at("outcome").as_string() != "delivered");
        CHECK(newest.at("type").as_string() == "order.paid");
        CHECK(all.body.find("\"n\"") == std::string::npos);
        CHECK(items_of(s.rig.get("/webhooks/deliveries?outcome=delivered", token)) == 1);
        CHECK(items_of(s.rig.get("/webhooks/deliveries?endpoint=" + good, token)) == 2);
        CHECK(items_of(s.rig.get("/webhooks/deliveries?endpoint=999", token)) == 0);
        CHECK(s.rig.get("/webhooks/deliveries?endpoint=x", token).status == 400);
        const auto page = s.rig.get("/webhooks/deliveries?limit=1", token);
        const auto rest =
            s.rig.get("/webhooks/deliveries?limit=1&cursor=" + page.text("next"), token);
        REQUIRE(items_of(rest) == 1);
        CHECK(rest.json().at("items").at(0).at("event_id").as_string() == "e1");

        // Attempts that were logged at the same moment are on one page or the next, on none twice.
        s.rig.db().execute("UPDATE webhooks.delivery SET at = '2026-01-01'");
        std::set<std::string> seen;
        std::string cursor;
        for (int i = 0; i < 4; ++i) {
            const auto each = s.rig.get("/webhooks/deliveries?limit=1" + cursor, token);
            REQUIRE_MESSAGE(each.status == 200, each.body);
            const auto body = each.json();
            for (const auto& item : body.at("items").as_array())
                CHECK(seen.insert(std::string{item.at("event_id").as_string()}).second);
            if (each.text("next").empty())
                break;
            cursor = "&cursor=" + each.text("next");
        }
        CHECK(seen == std::set<std::string>{"e1", "e2"});
    }

    TEST_CASE("http processors: another tenant's endpoints and templates are not there at all") {
        shop s;
        const auto mine = s.rig.tenant("mine");
        const auto other = s.rig.tenant("other");
        const auto endpoint = s.endpoint(mine, "/mine");
        s.publish(mine, "e1");
        REQUIRE(s.logs(1));
        for (const auto& [tenant, name] : {std::pair{mine, "mine"}, std::pair{other, "other"}})
            s.rig.db().execute(
                "SELECT mail.template_put($1::uuid, $2, 'en', 'Hello', '<p>secret text</p>')",
                {tenant, name});
        s.rig.db().execute(
            "SELECT mail.template_put(NULL, 'everybodys', 'en', 'Hello', '<p>x</p>')");
        const auto owner = s.rig.token(role::admin, mine);
        const auto stranger = s.rig.token(role::admin, other);
        const auto everybody = s.rig.token(role::admin);

        const auto as_strange = [&](const std::string& action, const std::string& body = {}) {
            return s.post("/webhooks/endpoints/" + endpoint + '/' + action, stranger, body);
        };
        const auto missing = s.post("/webhooks/endpoints/999999/disable", stranger);
        const auto foreign = as_strange("disable");
        CHECK(missing.status == 404);
        CHECK(foreign.status == 404);
        CHECK(foreign.text("code") == missing.text("code"));
        CHECK(as_strange("enable").status == 404);
        CHECK(s.post("/webhooks/deliveries/e1/replay", stranger, R"({"endpoint":)" + endpoint + '}')
                  .status == 404);
        CHECK(items_of(s.rig.get("/webhooks/endpoints", stranger)) == 0);
        CHECK(items_of(s.rig.get("/webhooks/deliveries", stranger)) == 0);
        CHECK(items_of(s.rig.get("/webhooks/endpoints", everybody)) == 1);
        CHECK(items_of(s.rig.get("/webhooks/deliveries?tenant_id=" + other, everybody)) == 0);
        CHECK(s.rig.get("/webhooks/endpoints?tenant_id=" + mine, stranger).status >= 400);
        CHECK(s.rig.db().query("SELECT state FROM webhooks.endpoint") == "enabled");

        const auto names = [&](const std::string& query, const std::string& token) {
            const auto page = s.rig.get("/templates" + query, token);
            REQUIRE_MESSAGE(page.status == 200, page.body);
            CHECK(page.body.find("secret text") == std::string::npos);
            std::set<std::string> all;
            const auto body = page.json();
            for (const auto& item : body.at("items").as_array())
                if (!item.at("tenant_id").is_null() || item.at("name").as_string() == "everybodys")
                    all.insert(std::string{item.at("name").as_string()});
            return all;
        };
        using set = std::set<std::string>;
        CHECK(names("", owner) == set{"everybodys", "mine"});
        CHECK(names("", stranger) == set{"everybodys", "other"});
        CHECK(names("", everybody) == set{"everybodys", "mine", "other"});
        CHECK(names("?name=mine", stranger).empty());
        CHECK(names("?name=mine&status=draft", owner) == set{"mine"});
        CHECK(s.rig.get("/templates?status=lost", owner).status == 400);

        const auto preview = [&](const std::string& token, const std::string& name) {
            return s.post("/templates/" + name + "/preview", token,
                          R"({"locale":"en","version":1})");
        };
        CHECK(preview(owner, "mine").text("html") == "<p>secret text</p>");
        CHECK(preview(stranger, "mine").status == 404);
        CHECK(preview(stranger, "everybodys").status == 200);
        CHECK(preview(everybody, "mine").status == 404);
        const auto lacking =
            s.post("/templates/welcome/preview", owner, R"({"variables":{"name":"Ann"}})");
        CHECK(lacking.status == 400);
        CHECK(lacking.text("detail").find("missing variable customer_name") != std::string::npos);
        CHECK(s.post("/templates/welcome/preview", owner, R"({"variables":[]})").status == 400);
        CHECK(s.post("/templates/welcome/preview", owner, R"({"variables":{"customer_name":"A"}})")
                  .text("category") == "transactional");
    }
}
