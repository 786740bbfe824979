#include "command_table.hpp"
#include "integration/api/stand_in_worker.hpp"
#include "invocation.hpp"
#include "server/route_uses.hpp"
#include "support/wait_until.hpp"
#include "system/qctl_two_ways.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

// What operators do, over the API of a real workerd and on its database.

namespace {

using test::contains;
using test::error_code;
using test::two_ways;
using words = std::vector<std::string>;

// Both processors whose tables have verbs; nothing is sent anywhere.
std::string with_processors(const test::temp_dir& files) {
    const auto key = files.write("key", std::string(64, 'a'));
    const auto secret = files.write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    for (const auto& each : {key, secret}) {
        std::filesystem::permissions(each, std::filesystem::perms::owner_read);
    }
    std::string text{"processors: {webhook: {endpoint_key_file: "};
    text += key.string();
    text += ", secret_file: ";
    text += secret.string();
    text += "}, email: {host: 127.0.0.1, port: 1, tls: none, from: shop@example.com}}\n";
    return text;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

bool fits(std::string_view path, std::string_view pattern) {
    while (!path.empty() && !pattern.empty()) {
        if (pattern.starts_with('{')) {
            pattern.remove_prefix(pattern.find('}') + 1);
            path.remove_prefix(std::min(path.find('/'), path.size()));
        } else if (path[0] == pattern[0]) {
            path.remove_prefix(1);
            pattern.remove_prefix(1);
        } else {
            return false;
        }
    }
    return path.empty() && pattern.empty();
}

// "POST /jobs/7/retry: 200" of what --debug prints, as often as it stands there.
std::vector<std::pair<std::string, std::string>> requests_of(const std::string& debug) {
    std::vector<std::pair<std::string, std::string>> requests;
    for (const auto& line : lines_of(debug)) {
        for (const std::string method : {"GET", "POST", "PUT", "DELETE"}) {
            const auto at = line.find(method + " /");
            const auto end = at == std::string::npos ? at : line.find(": 20", at);
            if (end != std::string::npos) {
                const auto path = line.substr(at + method.size() + 1);
                requests.emplace_back(method, path.substr(0, path.find_first_of("?: ")));
            }
        }
    }
    return requests;
}

// Runs verbs over the server and notes which routes answered them well.
class route_watch {
   public:
    explicit route_watch(const two_ways& both) : both_{both} {}

    std::string run(const words& args, const std::string& input = {}) {
        CAPTURE(args);
        auto line = args;
        line.push_back("--debug");
        const auto done = both_.served(line, "admin", input);
        CHECK_MESSAGE(done.code == 0, done.errors);
        const auto id = qctl::parse_command_line(args).leaf->id;
        for (const auto& [method, path] : requests_of(done.errors)) {
            for (const auto& use : qctl::route_uses()) {
                if (use.id == id && use.method == method && fits(path, use.path)) {
                    seen_.emplace(id, method, use.path);
                }
            }
        }
        return done.output;
    }

    [[nodiscard]] bool saw(const qctl::route_use& use) const {
        return seen_.contains({use.id, std::string{use.method}, use.path});
    }

   private:
    const two_ways& both_;
    std::set<std::tuple<qctl::verb, std::string, std::string_view>> seen_;
};

class letters {
   public:
    explicit letters(const two_ways& both) : both_{both}, worker_{both.rig.db()} {}

    std::string bury(const std::string& error, words more = {}) {
        const auto id = both_.enqueue(std::move(more));
        worker_.kill(std::stoll(id), error);
        return id;
    }

    [[nodiscard]] std::string state(const std::string& id) const {
        return both_.rig.db().query("SELECT state FROM queue.jobs WHERE id = $1", {id});
    }

   private:
    const two_ways& both_;
    test::stand_in_worker worker_;
};

std::string raise_alert(const two_ways& both) {
    static_cast<void>(both.rig.db().query(
        "SELECT raised FROM queue.update_alerts('[{\"rule\":\"depth\",\"severity\":\"warning\","
        "\"summary\":\"too many\",\"value\":7,\"threshold\":5}]')"));
    return both.rig.db().query("SELECT max(id) FROM queue.alert");
}

void publish_event(const two_ways& both) {
    static_cast<void>(both.rig.db().query(
        "SELECT count(*) FROM webhooks.publish(NULL, 'order.paid', '{\"n\":1}', event_id => "
        "'evt_1')"));
}

void job_verbs(route_watch& watch, const std::string& job, const std::string& other) {
    watch.run({"enqueue", "a.b"});
    watch.run({"enqueue", "--bulk", "-"}, "{\"kind\":\"a.b\"}\n{\"kind\":\"a.c\"}\n");
    watch.run({"jobs", "list"});
    watch.run({"jobs", "count", "state:ready"});
    watch.run({"jobs", "show", job, "--attempts"});
    watch.run({"jobs", "explain", job});
    watch.run({"jobs", "lineage", job});
    watch.run({"jobs", "wait", job, "--for", "ready"});
    watch.run({"jobs", "logs", job});
    watch.run({"jobs", "effects", job});
    watch.run({"jobs", "snooze", job, "--for", "1h"});
    watch.run({"jobs", "run-now", job});
    watch.run({"jobs", "retry", job});
    watch.run({"jobs", "clone", job});
    watch.run({"jobs", "cancel", other});
    watch.run({"workflows", "show", job});
}

void letter_verbs(route_watch& watch, const std::string& first, const std::string& second,
                  const std::string& fingerprint) {
    watch.run({"dlq", "list"});
    watch.run({"dlq", "show", first});
    watch.run({"dlq", "groups"});
    watch.run({"dlq", "note", fingerprint, "ticket 12", "--mute"});
    watch.run({"dlq", "stats"});
    watch.run({"dlq", "export"});
    watch.run({"dlq", "replay", first});
    watch.run({"dlq", "replay", "--error", "refused", "--yes"});
    watch.run({"dlq", "discard", second, "--yes"});
}

void operation_verbs(route_watch& watch, const std::string& job) {
    const auto operation = boost::json::parse(
        watch.run({"ops", "run", "cancel", "id:" + job, "--undo", "1h", "--yes", "-o", "json"}));
    const auto number = std::to_string(operation.at("id").as_int64());
    watch.run({"ops", "list"});
    watch.run({"ops", "show", number});
    watch.run({"ops", "cancel", number});
}

void queue_verbs(route_watch& watch) {
    watch.run({"queues", "list"});
    watch.run({"queues", "create", "money"});
    watch.run({"queues", "show", "money"});
    watch.run({"queues", "objective", "money", "30s"});
    watch.run({"queues", "pause", "money", "--yes"});
    watch.run({"queues", "resume", "money"});
    watch.run({"queues", "drain", "money"});
    watch.run({"queues", "purge", "money", "--confirm", "money"});
    watch.run({"limits", "set", "smtp", "--rate", "10/s"});
    watch.run({"limits", "list"});
    watch.run({"limits", "list", "smtp"});
    watch.run({"limits", "stop", "smtp", "--yes"});
    watch.run({"limits", "resume", "smtp"});
    watch.run({"limits", "reset", "smtp"});
}

void timed_verbs(route_watch& watch, const std::string& batch) {
    watch.run({"schedules", "set", "daily", "30 2 * * *", "a.b"});
    watch.run({"schedules", "list"});
    watch.run({"schedules", "show", "daily", "--runs", "3"});
    watch.run({"schedules", "next", "daily"});
    watch.run({"schedules", "next", "--cron", "@daily"});
    watch.run({"schedules", "pause", "daily", "--yes"});
    watch.run({"schedules", "resume", "daily"});
    watch.run({"schedules", "run", "daily"});
    watch.run({"schedules", "remove", "daily", "--yes", "--confirm", "daily"});
    watch.run({"batches", "list"});
    watch.run({"batches", "show", batch});
    watch.run({"batches", "items", batch});
    watch.run({"batches", "cancel", batch, "--yes"});
    watch.run({"batches", "wait", batch});
    watch.run({"topics", "subscribe", "order.*", "a.b"});
    watch.run({"topics", "list"});
    watch.run({"topics", "unrouted"});
    watch.run({"topics", "unsubscribe", "order.*", "a.b", "--yes"});
}

int audited(const two_ways& both) {
    return std::stoi(both.rig.db().query("SELECT count(*) FROM queue.audit"));
}

void processor_verbs(route_watch& watch, const std::string& endpoint) {
    watch.run({"webhooks", "endpoints", "list"});
    watch.run({"webhooks", "endpoints", "show", endpoint});
    watch.run({"webhooks", "endpoints", "disable", endpoint, "--yes"});
    watch.run({"webhooks", "endpoints", "enable", endpoint});
    watch.run({"webhooks", "deliveries", "list"});
    watch.run({"webhooks", "deliveries", "replay", "evt_1", "--endpoint", endpoint});
    const auto made =
        lines_of(watch.run({"webhooks", "endpoints", "create", "https://hook.invalid/y"})).at(0);
    watch.run({"webhooks", "endpoints", "rotate-secret", made, "--yes"});
    watch.run({"webhooks", "endpoints", "remove", made, "--confirm", made});
    watch.run({"templates", "list"});
    watch.run({"templates", "preview", "welcome", "--set", "customer_name=Ann"});
}

void access_verbs(route_watch& watch) {
    const auto token =
        boost::json::parse(watch.run({"tokens", "create", "--ttl", "1h", "-o", "json"}));
    watch.run({"tokens", "list"});
    watch.run({"tokens", "whoami"});
    watch.run({"tokens", "revoke", std::string{token.at("id").as_string()}});
    watch.run({"tokens", "revoke-jwt", "--issuer", "https://id.example.com", "--jti", "7d1f",
               "--expires", "2036-01-31T08:00:00Z"});
    watch.run({"tenants", "create", "acme"});
    watch.run({"tenants", "list"});
    watch.run({"audit", "list"});
    watch.run({"audit", "verify"});
}

void worker_verbs(route_watch& watch, const std::string& worker) {
    watch.run({"workers", "list"});
    watch.run({"workers", "show", worker});
    for (const auto* const wish : {"quiet", "resume", "drain", "stop"}) {
        watch.run({"workers", wish, worker, "--yes"});
    }
}

void sight_verbs(route_watch& watch, const std::string& alert) {
    watch.run({"config", "show"});
    watch.run({"top"});
    watch.run({"kinds", "list"});
    watch.run({"kinds", "unhandled"});
    watch.run({"stats", "series", "depth"});
    watch.run({"database"});
    watch.run({"alerts", "list"});
    watch.run({"alerts", "history"});
    watch.run({"alerts", "acknowledge", alert, "--note", "ticket 12"});
}

}  // namespace

TEST_SUITE("qctl verbs and routes") {
    TEST_CASE("every verb asks the routes that the table says, and they answer") {
        const test::temp_dir files;
        const two_ways both{with_processors(files)};
        route_watch watch{both};
        letters dead{both};
        const auto first = dead.bury("boom");
        const auto second = dead.bury("boom");
        const auto third = dead.bury("refused");
        const auto fourth = dead.bury("late");
        const auto job = both.enqueue();
        const auto other = both.enqueue();
        const auto groups = boost::json::parse(both.served({"dlq", "groups", "-o", "json"}).output);
        const std::string fingerprint{groups.at(0).at("fingerprint").as_string()};
        const auto endpoint =
            lines_of(
                both.direct({"webhooks", "endpoints", "create", "https://hook.invalid/x"}).output)
                .at(0);
        publish_event(both);
        static_cast<void>(both.rig.db().query(
            "SELECT mail.template_put(NULL, 'hello', 'default', 'Hi', '<p>Hi</p>')"));
        const auto batch = lines_of(both.direct({"batches", "create", "many"}).output).at(0);

        job_verbs(watch, job, other);
        letter_verbs(watch, first, second, fingerprint);
        operation_verbs(watch, job);
        queue_verbs(watch);
        timed_verbs(watch, batch);
        processor_verbs(watch, endpoint);
        access_verbs(watch);
        worker_verbs(watch, test::stand_in_worker{both.rig.db()}.id());
        sight_verbs(watch, raise_alert(both));

        for (const auto& use : qctl::route_uses()) {
            const auto& leaf = qctl::find_command(use.id);
            // Asked only when somebody interrupts it.
            const bool needs_ctrl_c =
                use.id == qctl::verb::dlq_replay && use.path.ends_with("/cancel");
            const auto which = std::string{leaf.group} + " " + std::string{leaf.name} + ": " +
                               std::string{use.method} + " " + std::string{use.path};
            CHECK_MESSAGE((watch.saw(use) || needs_ctrl_c), which);
        }
        CHECK(dead.state(fourth) == "dead");
        CHECK(dead.state(third) != "dead");
    }

    TEST_CASE("dead letters are paged, replayed and discarded as they are on the database") {
        const two_ways both;
        letters dead{both};
        // The one that was enqueued first dies last: pages go by death, not by id.
        const auto waits = both.enqueue();
        std::vector<std::string> ids;
        for (int i = 0; i < 4; ++i) {
            ids.push_back(dead.bury("boom"));
        }
        test::stand_in_worker{both.rig.db()}.kill(std::stoll(waits), "late");
        words in_order{waits};
        in_order.insert(in_order.end(), ids.rbegin(), ids.rend());

        std::vector<std::string> listed;
        words page{"dlq", "list", "--limit", "2", "-o", "id"};
        for (int pages = 0; pages < 4; ++pages) {
            const auto done = both.served(page);
            REQUIRE_MESSAGE(done.code == 0, done.errors);
            std::ranges::copy(lines_of(done.output), std::back_inserter(listed));
            const auto at = done.errors.find("--cursor ");
            if (at == std::string::npos) {
                break;
            }
            const auto text = done.errors.substr(at + 9);
            page = {"dlq", "list", "--limit",  "2",
                    "-o",  "id",   "--cursor", text.substr(0, text.find_first_of(" \n"))};
        }
        CHECK(boost::json::serialize(boost::json::value_from(listed)) ==
              boost::json::serialize(boost::json::value_from(in_order)));
        CHECK(both.direct({"dlq", "list", "--cursor", "x"}).code == 2);

        both.check_same({"dlq", "stats", "-o", "json"});
        CHECK(lines_of(both.served({"dlq", "export"}).output).size() == 5);
        CHECK(lines_of(both.served({"dlq", "export", "--limit", "3"}).output).size() == 3);
        const auto planned = both.served({"dlq", "replay", "--error", "boom", "-n"});
        CHECK_MESSAGE(contains(planned.errors, "would replay 4 dead letters"), planned.errors);
        CHECK(dead.state(ids[1]) == "dead");

        CHECK(both.served({"dlq", "replay", waits}).output == "replayed 1 dead letter\n");
        CHECK(dead.state(waits) != "dead");
        CHECK(both.served({"dlq", "replay", waits}).code == 3);
        const auto some = both.served({"dlq", "replay", "--all", "--limit", "1", "--yes"});
        CHECK_MESSAGE(some.output == "replayed 1 dead letter\n", some.errors);
        const auto rest =
            both.served({"dlq", "replay", "--error", "boom", "--rate", "100/s", "--yes"});
        CHECK_MESSAGE(rest.output == "replayed 3 dead letters\n", rest.errors);

        const auto last = dead.bury("boom");
        const auto edited = dead.bury("boom");
        CHECK(both.served({"dlq", "replay", edited, "--edit", "{\"n\":2}"}).code == 0);
        CHECK(both.rig.db().query("SELECT count(*) FROM queue.jobs WHERE payload = '{\"n\":2}'") ==
              "1");
        CHECK(both.served({"dlq", "discard", last, "--yes"}).output == "discarded 1 dead letter\n");
        CHECK(both.served({"dlq", "discard", "--all", "--confirm", "all"}).code == 0);
        CHECK(both.rig.db().query("SELECT count(*) FROM queue.dead_letter") == "0");
        CHECK(both.served({"dlq", "discard", "--error", "x", "--yes"}, "viewer").code == 4);
    }

    TEST_CASE("a failure group is noted and muted, and one that is not there is not") {
        const two_ways both;
        letters dead{both};
        static_cast<void>(dead.bury("boom"));
        const auto group = [&] {
            return boost::json::parse(both.served({"dlq", "groups", "-o", "json"}).output).at(0);
        };
        const std::string fingerprint{group().at("fingerprint").as_string()};

        CHECK(both.served({"dlq", "note", fingerprint, "ticket 12", "--mute", "-n"}).code == 0);
        CHECK(group().at("muted") == false);
        CHECK(both.served({"dlq", "note", fingerprint, "ticket 12", "--mute"}).code == 0);
        CHECK(group().at("note") == "ticket 12");
        CHECK(group().at("muted") == true);
        CHECK(both.direct({"dlq", "note", fingerprint}).code == 0);
        CHECK(group().at("note").is_null());
        CHECK(group().at("muted") == false);
        for (const auto& done : {both.direct({"dlq", "note", "0000000000000000", "x"}),
                                 both.served({"dlq", "note", "0000000000000000", "x"})}) {
            CHECK_MESSAGE(done.code == 3, done.errors);
        }
    }

    TEST_CASE("jobs are snoozed, made due, cloned and counted alike on both ways") {
        const two_ways both;
        const auto& db = both.rig.db();
        for (const bool served : {false, true}) {
            CAPTURE(served);
            const auto run = [&](const words& args) {
                return served ? both.served(args) : both.direct(args);
            };
            const auto column = [&](const std::string& id, const std::string& name) {
                return db.query("SELECT " + name + " FROM queue.jobs WHERE id = $1", {id});
            };
            const auto id = both.enqueue({"{\"n\":1}", "--priority", "5"});

            CHECK(run({"jobs", "snooze", id, "--until", "2036-01-31T08:00:00Z", "-n"}).code == 0);
            CHECK(column(id, "state") == "ready");
            CHECK(run({"jobs", "snooze", id, "--until", "2036-01-31T08:00:00Z"}).output ==
                  "job " + id + ": waits until 2036-01-31T08:00:00.000000Z\n");
            CHECK(column(id, "run_at = '2036-01-31T08:00:00Z'") == "t");
            CHECK(run({"jobs", "snooze", id}).code == 2);
            CHECK(run({"jobs", "snooze", id, "--for", "1h", "--until", "2036-01-31T08:00:00Z"})
                      .code == 2);
            CHECK(run({"jobs", "run-now", id}).output == "job " + id + ": due\n");
            CHECK(column(id, "run_at <= clock_timestamp()") == "t");

            const auto made = run({"jobs", "clone", id, "--edit", "{\"n\":2}", "--in", "1h",
                                   "--priority", "7", "-o", "json"});
            REQUIRE_MESSAGE(made.code == 0, made.errors);
            const auto clone =
                std::to_string(boost::json::parse(made.output).at("new_id").as_int64());
            CHECK(column(clone, "payload->>'n' || ' ' || priority || ' ' || state") ==
                  "2 7 scheduled");
            both.check_same({"jobs", "lineage", clone, "-o", "csv"});
            CHECK(contains(run({"workflows", "show", id}).output,
                           "  " + clone + "  nobody.runs  scheduled  default  clone_of " + id));

            CHECK(run({"jobs", "cancel", id}).code == 0);
            CHECK(run({"jobs", "run-now", id}).code == 5);
            CHECK(run({"jobs", "snooze", id, "--for", "1h"}).code == 5);
            const auto edited = run({"jobs", "retry", id, "--edit", "{\"n\":3}"});
            CHECK_MESSAGE(contains(edited.output, "retried as job"), edited.errors);
            CHECK(run({"jobs", "clone", id, "999999"}).code == 8);
            CHECK(run({"jobs", "lineage", "999999"}).code == 3);
            CHECK(run({"workflows", "show", "999999"}).code == 3);
        }
        both.check_same({"jobs", "count"});
        both.check_same({"jobs", "count", "state:ready", "--queue", "default", "-o", "json"});
        CHECK(both.served({"jobs", "count", "stat:ready"}).code == 2);
    }

    TEST_CASE("what all that is like: figures, kinds and the database") {
        const two_ways both;
        static_cast<void>(both.enqueue());
        static_cast<void>(both.rig.db().query(
            "SELECT queue.put_samples(jsonb_build_array(jsonb_build_object("
            "'queue', 'default', 'at', date_trunc('minute', now()) - interval '3 minutes', "
            "'ready', 7)))"));

        both.check_same({"kinds", "list", "-o", "json"});
        for (const auto* const metric : {"throughput", "failures", "wait", "run", "depth"}) {
            both.check_same({"stats", "series", metric, "--from", "2026-01-31T08:00:00Z", "--to",
                             "2026-01-31T09:00:00Z", "-o", "csv"});
        }
        for (const auto& done : {both.direct({"stats", "series", "depth", "-o", "json"}),
                                 both.served({"stats", "series", "depth", "-o", "json"})}) {
            REQUIRE_MESSAGE(done.code == 0, done.errors);
            const auto rows = boost::json::parse(done.output).as_array();
            CHECK(rows.size() >= 60);
            CHECK(std::ranges::count_if(rows, [](const auto& row) {
                      return row.at("ready").is_number() &&
                             row.at("ready").template to_number<double>() == 7;
                  }) == 1);
        }
        for (const auto& args :
             {words{"stats", "series", "speed"}, words{"stats", "series", "depth", "--step", "90s"},
              words{"stats", "series"}, words{"stats", "serie", "depth"}}) {
            CHECK(both.served(args).code == 2);
            CHECK(both.direct(args).code == 2);
        }
        CHECK(contains(both.direct({"stats"}).output, "queue"));
        for (const auto& done :
             {both.direct({"database", "-o", "json"}), both.served({"database", "-o", "json"})}) {
            REQUIRE_MESSAGE(done.code == 0, done.errors);
            const auto row = boost::json::parse(done.output);
            CHECK(row.at("tables").as_array().size() > 5);
            CHECK(row.at("cures").is_array());
        }
        CHECK(both.direct({"queues", "objective", "default", "90s"}).code == 0);
        CHECK(both.rig.db().query("SELECT objective FROM queue.queue WHERE name = 'default'") ==
              "00:01:30");
        CHECK(both.served({"queues", "objective", "default", "none"}).code == 0);
        CHECK(both.rig.db().query("SELECT objective IS NULL FROM queue.queue WHERE name = "
                                  "'default'") == "t");
        CHECK(both.served({"queues", "objective", "default", "soon"}).code == 2);
        CHECK(both.served({"queues", "objective", "nowhere", "1m"}).code == 3);
        CHECK(both.direct({"tokens", "whoami"}).code == 2);
        // Both ways hash a JWT alike: the second one finds it.
        const words jwt{"tokens", "revoke-jwt", "--issuer",  "https://id.example.com",
                        "--jti",  "7d1f",       "--expires", "2036-01-31T08:00:00Z"};
        CHECK(both.direct(jwt).output == "JWT 7d1f: revoked\n");
        CHECK(both.served(jwt).output == "JWT 7d1f: revoked\n");
        CHECK(both.rig.db().query("SELECT count(*) FROM queue.revoked_jwt") == "1");
        CHECK(both.direct({"tokens", "revoke-jwt", "--jti", "7d1f"}).code == 2);
    }

    TEST_CASE("operations are undone, followed and refused to whoever may not") {
        const two_ways both;
        const auto& db = both.rig.db();
        const auto one = both.enqueue({"--tag", "a"});
        const auto two = both.enqueue({"--tag", "b"});
        const auto state = [&](const std::string& id) {
            return db.query("SELECT state FROM queue.jobs WHERE id = $1", {id});
        };

        const auto planned = both.served({"ops", "run", "cancel", "tag:a", "-n", "-o", "json"});
        CHECK_MESSAGE(boost::json::parse(planned.output).at("count") == 1, planned.errors);
        const auto begun =
            both.served({"ops", "run", "cancel", "tag:a", "--undo", "1h", "--yes", "-o", "json"});
        const auto number = std::to_string(boost::json::parse(begun.output).at("id").as_int64());
        both.check_same(
            {"ops", "show", number, "-o", "csv", "--columns", "id,action,state,matched"});
        both.check_same({"ops", "list", "--unfinished", "-o", "id"});
        CHECK(both.served({"ops", "cancel", number}).code == 0);
        CHECK(state(one) == "ready");
        CHECK(both.served({"ops", "list", "--unfinished", "-o", "id"}).output.empty());
        CHECK(both.served({"ops", "show", "999999"}).code == 3);

        const auto done = both.served({"ops", "run", "cancel", "tag:b", "--undo", "0s", "--reason",
                                       "because", "--follow", "--yes", "-o", "json"});
        CHECK_MESSAGE(done.code == 0, done.errors);
        CHECK(boost::json::parse(done.output).at("done") == 1);
        CHECK(state(two) == "cancelled");
        CHECK(both.served({"ops", "run", "cancel", "tag:a", "--yes"}, "viewer").code == 4);
        // Newest first, and --before goes on behind what was shown.
        CHECK(
            both.served({"ops", "list", "--limit", "1", "--before", "999999", "-o", "id"}).output !=
            number + "\n");
        CHECK(both.served({"ops", "list", "--before", number, "-o", "id"}).output.empty());
    }

    TEST_CASE("an alert is seen and acknowledged over the server") {
        const two_ways both;
        const auto id = raise_alert(both);

        both.check_same({"alerts", "list", "--rule", "depth", "-o", "csv", "--columns",
                         "id,rule,severity,state,summary"});
        const auto done = both.served({"alerts", "acknowledge", id, "--note", "ticket 12"});
        CHECK_MESSAGE(done.code == 0, done.errors);
        CHECK(both.rig.db().query("SELECT acknowledged_by LIKE 'token:%' FROM queue.alert") == "t");
        CHECK(both.served({"alerts", "history", "--before", id, "-o", "id"}).output.empty());
        CHECK(both.served({"alerts", "history", "-o", "id"}).output == id + "\n");
        CHECK(both.served({"alerts", "acknowledge", "999999"}).code == 3);
        CHECK(both.served({"alerts", "acknowledge", id}, "viewer").code == 4);
    }

    TEST_CASE("endpoints, deliveries and templates read and change alike on both ways") {
        const test::temp_dir files;
        const two_ways both{with_processors(files)};
        const auto endpoint =
            lines_of(
                both.direct({"webhooks", "endpoints", "create", "https://hook.invalid/x"}).output)
                .at(0);
        publish_event(both);
        static_cast<void>(both.rig.db().query(
            "SELECT mail.template_put(NULL, 'hello', 'default', 'Hi', '<p>Hi</p>')"));

        const auto look = words{"-o", "csv", "--columns", "id,url,state"};
        const auto list = words{"webhooks", "endpoints", "list"};
        for (const bool served : {false, true}) {
            CAPTURE(served);
            const auto run = [&](const words& args) {
                return served ? both.served(args) : both.direct(args);
            };
            const auto state = [&] {
                return both.rig.db().query("SELECT state FROM webhooks.endpoint");
            };
            const auto acts = audited(both);
            const auto off =
                run({"webhooks", "endpoints", "disable", endpoint, "--reason", "x", "--yes"});
            CHECK_MESSAGE(off.code == 0, off.errors);
            CHECK(state() == "disabled");
            CHECK(run({"webhooks", "endpoints", "enable", endpoint, "-n"}).code == 0);
            CHECK(state() == "disabled");
            CHECK(run({"webhooks", "endpoints", "enable", endpoint}).output ==
                  "endpoint " + endpoint + ": enabled\n");
            CHECK(state() == "enabled");
            const auto again =
                run({"webhooks", "deliveries", "replay", "evt_1", "--endpoint", endpoint});
            CHECK_MESSAGE(again.code == 0, again.errors);
            CHECK(both.rig.db().query("SELECT kind FROM queue.jobs WHERE id = $1",
                                      {lines_of(again.output).at(0)}) == "webhook.event");
            CHECK(audited(both) == acts + 3);
            for (const auto& args :
                 {words{"webhooks", "endpoints", "enable", "999"},
                  words{"webhooks", "endpoints", "show", "999"},
                  words{"webhooks", "deliveries", "replay", "none", "--endpoint", endpoint},
                  words{"webhooks", "deliveries", "replay", "evt_1", "--endpoint", "999"}}) {
                CAPTURE(args);
                const auto missing = run(args);
                CHECK_MESSAGE(missing.code == 3, missing.errors);
            }
        }
        for (auto args : {list, words{"webhooks", "endpoints", "show", endpoint}}) {
            args.insert(args.end(), look.begin(), look.end());
            both.check_same(args);
        }
        both.check_same({"webhooks", "endpoints", "list", "--after", endpoint, "-o", "id"});
        both.check_same({"templates", "list", "--name", "hello", "-o", "csv"});
        CHECK(contains(both.served({"templates", "list", "--name", "hello"}).output, "hello"));
        CHECK(both.served({"webhooks", "endpoints", "enable", endpoint}, "viewer").code == 4);
    }

    TEST_CASE("a template is previewed alike on both ways, and what it lacks is named") {
        const test::temp_dir files;
        const two_ways both{with_processors(files)};
        const auto tenant = both.rig.tenant("acme");
        both.rig.db().execute(
            "SELECT mail.template_put($1::uuid, 'bill', 'de', 'An {{user.name}}', "
            "'<p>{{user.name}} {{formatCurrency sum \"EUR\"}}{{#paid}} bezahlt{{/paid}} "
            "{{formatTime at}}</p>')",
            {tenant});
        const auto data = files.write("order.json", R"({"user":{"name":"?"},"sum":1250})");
        const words bill{"templates",
                         "preview",
                         "bill",
                         "--tenant",
                         tenant,
                         "--locale",
                         "de-AT",
                         "--version",
                         "1",
                         "--data",
                         "@" + data.string(),
                         "--set",
                         "user.name=<Zoe>",
                         "--set",
                         "paid:=true",
                         "--set",
                         "at=2026-07-01T10:00:00Z",
                         "--tz",
                         "Europe/Vienna"};
        const auto with = [&](words more) {
            more.insert(more.begin(), bill.begin(), bill.end());
            return more;
        };
        both.check_same(with({"-o", "json"}));
        for (const bool served : {false, true}) {
            CAPTURE(served);
            const auto run = [&](const words& args) {
                return served ? both.served(args) : both.direct(args);
            };
            CHECK(run(with({"--part", "html"})).output ==
                  "<p>&lt;Zoe&gt; 12,50 € bezahlt 12:00</p>\n");
            CHECK(run(with({"--part", "subject"})).output == "An <Zoe>\n");
            const auto missing = run({"templates", "preview", "welcome", "--set", "x=y"});
            CHECK(missing.code == 2);
            CHECK(contains(missing.errors, "of the template: missing variable customer_name"));
            CHECK(run({"templates", "preview", "bill", "--version", "1"}).code == 3);
            CHECK(run({"templates", "preview", "none"}).code == 3);
            for (const auto& args :
                 {words{"--data", "[]"}, words{"--data", "{"}, words{"--set", "a"},
                  words{"--set", "a..b=1"}, words{"--set", "a:=x"}, words{"--part", "all"},
                  words{"--data", R"({"a":1})", "--set", "a.b=1"}}) {
                CAPTURE(args);
                words all{"templates", "preview", "welcome"};
                all.insert(all.end(), args.begin(), args.end());
                CHECK(run(all).code == 2);
            }
        }
        CHECK(both.served(bill, "viewer").code == 4);
        CHECK(both.rig.db().query("SELECT count(*) FROM queue.request_key") == "0");
        CHECK(both.rig.db().query("SELECT count(*) FROM queue.jobs") == "0");
    }

    TEST_CASE("one of no tenant makes, changes and removes a tenant's endpoint on both ways") {
        const test::temp_dir files;
        const two_ways both{with_processors(files)};
        const auto tenant = both.rig.tenant("acme");
        for (const bool served : {false, true}) {
            CAPTURE(served);
            const auto run = [&](const words& args) {
                return served ? both.served(args) : both.direct(args);
            };
            auto acts = audited(both);
            const auto made = run({"webhooks", "endpoints", "create", "https://hook.invalid/t",
                                   "--event", "order.*", "--ordered", "--tenant", tenant});
            REQUIRE_MESSAGE(made.code == 0, made.errors);
            const auto id = lines_of(made.output).at(0);
            CHECK(both.rig.db().query("SELECT tenant_id || ' ' || ordered || ' ' || events[1] "
                                      "FROM webhooks.endpoints WHERE id = $1",
                                      {id}) == tenant + " true order.*");
            // Each action is in the audit, and once.
            CHECK(audited(both) == ++acts);
            for (const auto& args : {words{"disable", id, "--yes"}, words{"enable", id},
                                     words{"rotate-secret", id, "--overlap", "1h", "--yes"},
                                     words{"remove", id, "--confirm", id}}) {
                CAPTURE(args);
                words all{"webhooks", "endpoints"};
                all.insert(all.end(), args.begin(), args.end());
                const auto done = run(all);
                CHECK_MESSAGE(done.code == 0, done.errors);
                CHECK(audited(both) == ++acts);
            }
            CHECK(run({"webhooks", "endpoints", "remove", id, "--confirm", id}).code == 3);
            CHECK(audited(both) == acts);
        }
        for (const auto& args :
             {words{"set", "ann@example.com", "marketing", "off"},
              words{"suppress", "ann@example.com"}, words{"unsuppress", "ann@example.com", "-y"}}) {
            CAPTURE(args);
            words all{"preferences"};
            all.insert(all.end(), args.begin(), args.end());
            const auto acts = audited(both);
            const auto done = both.direct(all);
            CHECK_MESSAGE(done.code == 0, done.errors);
            CHECK(audited(both) == acts + 1);
        }
        CHECK(both.rig.db().query("SELECT count(*) FROM queue.audit "
                                  "WHERE (target || detail::text) LIKE '%ann@%'") == "0");
    }

    TEST_CASE("where a processor is not installed its verbs say so, on both ways") {
        const two_ways both;
        for (const auto& args :
             {words{"webhooks", "endpoints", "list"}, words{"webhooks", "deliveries", "list"},
              words{"webhooks", "endpoints", "enable", "1"}, words{"templates", "list"}}) {
            CAPTURE(args);
            for (const auto& done : {both.direct(args), both.served(args)}) {
                CHECK_MESSAGE(done.code == 3, done.errors);
                CHECK(contains(done.errors, "is not installed"));
            }
        }
    }
}
