#include "confirm.hpp"
#include "json_members.hpp"
#include "named_contexts.hpp"
#include "server/api_client.hpp"
#include "server/api_report.hpp"
#include "server/filter_text.hpp"
#include "server/json_body.hpp"
#include "server/route_uses.hpp"
#include "settings.hpp"
#include "stop.hpp"
#include "support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <set>
#include <tuple>

namespace {

using libqueue::column_type;
using qctl::exit_code;
using qctl::stop;
using words = std::vector<std::string>;

stop refusal_of(const auto& act) {
    try {
        act();
    } catch (const stop& why) {
        return why;
    }
    return stop{exit_code::ok, "", "nothing was refused"};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string code_of(const qctl::api_problem& problem) {
    return std::to_string(static_cast<int>(to_stop(problem).exit));
}

qctl::environment world(const std::map<std::string, std::string>& variables) {
    qctl::environment around;
    around.variable = [variables](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string{name});
        return found == variables.end() ? std::nullopt : std::optional{found->second};
    };
    return around;
}

qctl::settings settings_of(const words& line, const qctl::environment& around) {
    return qctl::resolve_settings(qctl::parse_command_line(line), around);
}

std::filesystem::path put(const test::temp_dir& in, const std::string& name,
                          const std::string& text, mode_t mode = 0600) {
    const auto path = in.write(name, text);
    ::chmod(path.c_str(), mode);
    return path;
}

constexpr const char* two_contexts =
    "current: laptop\n"
    "contexts:\n"
    "  prod:\n"
    "    server: https://queue.example.com\n"
    "    token_file: /etc/qctl.token\n"
    "    protected: true\n"
    "  laptop:\n"
    "    db: postgresql://queue@localhost/app\n"
    "    schema: jobs\n";

// "GET /jobs" of an OpenAPI document whose paths are below /api/v1.
std::set<std::string> routes_of(const std::string& document) {
    constexpr std::string_view base = "/api/v1";
    const std::map<std::string, std::string> methods{
        {"get", "GET"}, {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
    std::set<std::string> routes;
    const auto parts = qctl::json_members(document).value();
    for (const auto& part : parts) {
        if (part.name != "paths") {
            continue;
        }
        const auto paths = qctl::json_members(part.value).value();
        for (const auto& path : paths) {
            REQUIRE(path.name.starts_with(base));
            const auto members = qctl::json_members(path.value).value();
            for (const auto& member : members) {
                if (const auto method = methods.find(member.name); method != methods.end()) {
                    routes.insert(method->second + " " + path.name.substr(base.size()));
                }
            }
        }
    }
    return routes;
}

}  // namespace

TEST_SUITE("qctl and a server") {
    TEST_CASE("a page of the API becomes the report the library would give") {
        const auto page = qctl::read_page(
            R"({"items":[{"id":7,"queue":"money","payload":{"n":1.50},)"
            R"("run_at":"2026-01-31T08:00:00.000000Z","paused":false,"error":null},)"
            R"({"id":12345678901234567890,"queue":"a\"b","payload":"x",)"
            R"("run_at":null,"paused":true,"error":"e"}],"next":"abc"})");

        REQUIRE(page.rows.rows.size() == 2);
        CHECK(page.cursor == "abc");
        const std::vector<column_type> types{column_type::integer, column_type::text,
                                             column_type::json,    column_type::time,
                                             column_type::boolean, column_type::text};
        for (std::size_t i = 0; i < types.size(); ++i) {
            CHECK(page.rows.columns[i].type == types[i]);
        }
        CHECK(page.rows.rows[0][2] == R"({"n":1.50})");
        CHECK(page.rows.rows[1][0] == "12345678901234567890");
        CHECK(page.rows.rows[1][1] == "a\"b");
        CHECK(page.rows.rows[1][2] == "\"x\"");
        CHECK(page.rows.rows[0][5] == std::nullopt);
    }

    TEST_CASE("rows of later pages find their columns by name") {
        auto all = qctl::read_page(R"({"items":[{"id":1,"a":"x"}],"next":"c"})").rows;
        qctl::align_rows(all, qctl::read_page(R"([{"b":true,"id":2}])").rows);

        REQUIRE(all.columns.size() == 3);
        CHECK(all.rows[1] == std::vector<std::optional<std::string>>{"2", std::nullopt, "true"});
        CHECK(all.rows[0].size() == 3);
        CHECK_FALSE(qctl::last_of_falling(all));
        CHECK(qctl::last_of_falling(qctl::read_page(R"([{"id":9},{"id":4}])").rows) == 4);
    }

    TEST_CASE("an answer that is not the API's ends the verb and says what came") {
        for (const auto* const body : {"<html>it works</html>", "{\"a\":1", "", "42"}) {
            const auto why = refusal_of([&] { static_cast<void>(qctl::read_page(body)); });

            CHECK(why.exit == exit_code::failed);
            CHECK(why.code == "bad_answer");
        }
    }

    TEST_CASE("each refusal of the server has the exit code scripts expect") {
        const std::map<int, std::string> expected{{400, "2"}, {401, "4"}, {403, "4"}, {404, "3"},
                                                  {405, "1"}, {409, "5"}, {412, "5"}, {413, "2"},
                                                  {422, "2"}, {429, "1"}, {500, "1"}, {503, "9"}};
        for (const auto& [status, code] : expected) {
            CHECK_MESSAGE(code_of(qctl::read_problem(status, "")) == code, status);
        }
    }

    TEST_CASE("a problem says what was wrong where, and under which request it was logged") {
        const auto problem = qctl::read_problem(
            400,
            R"({"type":"about:blank","title":"Bad Request","status":400,"code":"invalid_argument",)"
            R"("errors":[{"where":"query.limit","expected":"1 to 500","got":"900"}],)"
            R"("request_id":"r-1"})");
        const auto why = to_stop(problem);

        CHECK(why.exit == exit_code::usage);
        CHECK(why.code == "invalid_argument");
        CHECK(contains(why.what(), "query.limit: expected 1 to 500, got 900"));
        CHECK(why.request_id == "r-1");
        CHECK(to_stop(qctl::read_problem(503, R"({"code":"too_wide"})")).exit ==
              exit_code::timed_out);
    }

    TEST_CASE("a domain error of the server is the library's") {
        const auto problem = qctl::read_problem(
            409, R"({"detail":"the job runs","code":"conflict","request_id":"r-2"})");

        REQUIRE(domain_error(problem));
        CHECK(domain_error(problem)->code == libqueue::errc::conflict);
        CHECK(domain_error(problem)->message == "the job runs");
        CHECK_FALSE(domain_error(qctl::read_problem(401, "{}")));
        CHECK_FALSE(domain_error(qctl::read_problem(503, R"({"code":"conflict"})")));
    }

    TEST_CASE("filters are written in the API's grammar, quoted where it would read more") {
        libqueue::job_filter jobs;
        jobs.states = {libqueue::job_state::dead, libqueue::job_state::retrying};
        jobs.queue = "money";
        jobs.kind = "email.*";
        jobs.tag = "very important";
        jobs.before = 1200;

        CHECK(qctl::filter_text(jobs) ==
              R"(state:dead,retrying queue:money kind:email.* tag:"very important" id:<1200)");
        libqueue::dead_letter_filter letters;
        letters.error_like = "say \"no\"";
        letters.ids = {3, 4};
        CHECK(qctl::filter_text(letters) == R"(id:3,4 error:"say \"no\"")");
    }

    TEST_CASE("a body leaves out what is unset and keeps documents as they are") {
        CHECK(qctl::json_body{}
                  .text("kind", "a.b")
                  .raw("payload", R"({"n":1.50})")
                  .text("queue", std::nullopt)
                  .integer("priority", -3)
                  .texts("tags", {"x", "\"y"})
                  .done() ==
              R"({"kind":"a.b","payload":{"n":1.50},"priority":-3,"tags":["x","\"y"]})");
    }

    TEST_CASE("a name is one part of a path, whatever is in it") {
        CHECK(qctl::path_part("money") == "money");
        CHECK(qctl::path_part("a/b c?d#e") == "a%2Fb%20c%3Fd%23e");
        CHECK(qctl::path_part("..") == "%2E%2E");
        CHECK(qctl::path_part("ä") == "%C3%A4");
    }

    TEST_CASE("a URL of a server has no secrets and no path of its own making") {
        CHECK(qctl::checked_server_url("https://queue.example.com/") ==
              "https://queue.example.com");
        for (const auto* const url : {"queue.example.com", "ftp://x", "https://", "http://u:p@h",
                                      "https://h/?a=1", "https://h h"}) {
            CHECK_MESSAGE(refusal_of([&] {
                              static_cast<void>(qctl::checked_server_url(url));
                          }).exit == exit_code::usage,
                          url);
        }
    }

    TEST_CASE("a token is read from a file only its owner may read, and never shown") {
        const test::temp_dir files;
        const auto good = put(files, "token", "lq_secret\n");
        const auto open = put(files, "open", "lq_secret\n", 0644);
        const auto odd = put(files, "odd", "lq secret\n");

        CHECK(qctl::read_token(good.string()) == "lq_secret");
        for (const auto& path : {open, odd, files.path() / "none", files.path()}) {
            const auto why =
                refusal_of([&] { static_cast<void>(qctl::read_token(path.string())); });
            CHECK(why.exit == exit_code::usage);
            CHECK_FALSE(contains(std::string{why.what()} + why.hint, "secret"));
        }
    }

    TEST_CASE("a token goes to another machine over https only") {
        const test::temp_dir files;
        qctl::settings options;
        options.token_file = put(files, "token", "lq_secret\n").string();
        const auto refused = [&](const std::string& url) {
            options.server = url;
            return refusal_of([&] { const qctl::api_client client{options, {}}; }).exit;
        };

        CHECK(refused("http://queue.example.com") == exit_code::usage);
        CHECK(refused("http://127.0.0.1:8080") == exit_code::ok);
        CHECK(refused("http://[::1]:8080") == exit_code::ok);
        CHECK(refused("http://localhost:8080/base") == exit_code::ok);
        CHECK(refused("http://127.9.9.9") == exit_code::ok);
        CHECK(refused("https://queue.example.com") == exit_code::ok);
        for (const auto* const foreign :
             {"http://127.0.0.1.example.com", "http://127.example.com:80", "http://127.1x",
              "http://[::1].example.com", "http://[::1", "http://[::2]", "http://::1",
              "http://localhost.example.com", "http://[127.0.0.1]"}) {
            CHECK_MESSAGE(refused(foreign) == exit_code::usage, foreign);
        }
        options.may_send_in_clear = true;
        CHECK(refused("http://queue.example.com") == exit_code::ok);
    }

    TEST_CASE("every route that a verb uses is written once, and its verb is no local one") {
        std::set<std::tuple<qctl::verb, std::string_view, std::string_view>> seen;
        for (const auto& use : qctl::route_uses()) {
            CHECK(seen.insert({use.id, use.method, use.path}).second);
            CHECK((!qctl::is_local(use.id) || use.id == qctl::verb::config_show));
        }
    }

    TEST_CASE("every route of the API has a verb, or a reason to have none") {
        const auto text = test::read_file(LIBQUEUE_SOURCE_FOLDER "/docs/openapi.json");
        const auto offered = routes_of(text);
        REQUIRE(offered.size() > 50);

        std::set<std::string> reached;
        for (const auto& use : qctl::route_uses()) {
            reached.insert(std::string{use.method} + " " + std::string{use.path});
        }
        for (const auto& each : qctl::excused_routes()) {
            const auto route = std::string{each.method} + " " + std::string{each.path};
            CHECK_FALSE(each.reason.empty());
            CHECK_MESSAGE(reached.insert(route).second, route);
        }
        for (const auto& route : offered) {
            CHECK_MESSAGE(reached.contains(route), route);
        }
        for (const auto& route : reached) {
            CHECK_MESSAGE(offered.contains(route), route);
        }
    }
}

TEST_SUITE("qctl contexts") {
    TEST_CASE("what is written is read back as it was") {
        qctl::context_list list;
        list.current = "a.b-1";
        qctl::named_context one;
        one.name = "a.b-1";
        one.server = "https://h:1/\"x\"";
        one.token_file = "/tmp/ä #no comment: really";
        one.is_protected = true;
        qctl::named_context two;
        two.name = "yes";
        two.db = "host=/run user='no'";
        list.entries = {one, two};

        const auto back = qctl::parse_contexts(qctl::contexts_text(list), "f");

        CHECK(back.current == list.current);
        REQUIRE(back.entries.size() == 2);
        CHECK(back.at("a.b-1").server == one.server);
        CHECK(back.at("a.b-1").token_file == one.token_file);
        CHECK(back.at("a.b-1").is_protected);
        CHECK(back.at("yes").db == two.db);
        CHECK_FALSE(back.at("yes").is_protected);
    }

    TEST_CASE("a file that is wrong names the line") {
        for (const auto* const text :
             {"contexts:\n  a:\n    servr: x\n", "contexts: [1]\n",
              "contexts:\n  a:\n    schema: x\n", "contexts:\n  a:\n    server: x\n    db: y\n",
              "current: a\nother: b\n", "contexts:\n  a b:\n    db: y\n",
              "contexts:\n  a:\n    db: y\n    protected: 1\n"}) {
            const auto why =
                refusal_of([&] { static_cast<void>(qctl::parse_contexts(text, "cfg")); });
            CHECK_MESSAGE(why.exit == exit_code::usage, text);
        }
        CHECK(contains(refusal_of([] {
                           static_cast<void>(
                               qctl::parse_contexts("contexts:\n  a:\n    servr: x\n", "cfg"));
                       }).what(),
                       "cfg:3"));
    }

    TEST_CASE("flags beat variables, variables beat the context in use") {
        const test::temp_dir files;
        const auto path = put(files, "config.yaml", two_contexts);
        const std::map<std::string, std::string> base{{"QCTL_CONFIG", path.string()}};
        const auto with = [&](std::map<std::string, std::string> more) {
            more.insert(base.begin(), base.end());
            return world(more);
        };

        auto got = settings_of({"queues", "list"}, with({}));
        CHECK(got.context == "laptop");
        CHECK(got.dsn == "postgresql://queue@localhost/app");
        CHECK(got.schema == "jobs");
        got = settings_of({"queues", "list"}, with({{"PGHOST", "/run"}}));
        CHECK(got.context.empty());
        CHECK(got.dsn.empty());
        got =
            settings_of({"queues", "list"}, with({{"QCTL_DB", "d"}, {"QCTL_SERVER", "http://h"}}));
        CHECK(got.server == "http://h");
        CHECK(got.dsn.empty());
        got = settings_of({"--context", "prod", "queues", "list"}, with({{"QCTL_DB", "d"}}));
        CHECK(got.server == "https://queue.example.com");
        CHECK(got.token_file == "/etc/qctl.token");
        CHECK(got.is_protected);
        got = settings_of({"queues", "list", "--db", "x", "--schema", "s"}, with({}));
        CHECK(got.dsn == "x");
        CHECK(got.schema == "s");
        CHECK_FALSE(got.is_protected);
        got = settings_of({"migrate", "status"}, with({{"QCTL_SERVER", "http://h"}}));
        CHECK(got.server.empty());
    }

    TEST_CASE("two places at once are refused, and an unknown context suggests another") {
        const test::temp_dir files;
        const auto around =
            world({{"QCTL_CONFIG", put(files, "config.yaml", two_contexts).string()}});
        const auto refused = [&](const words& line) {
            return refusal_of([&] { static_cast<void>(settings_of(line, around)); });
        };

        CHECK(refused({"queues", "list", "--db", "x", "--server", "http://h"}).exit ==
              exit_code::usage);
        CHECK(refused({"queues", "list", "--context", "prod", "--dev"}).exit == exit_code::usage);
        const auto unknown = refused({"queues", "list", "--context", "prd"});
        CHECK(unknown.exit == exit_code::not_found);
        CHECK(contains(unknown.hint, "prod"));
    }

    TEST_CASE("a file others may read is refused, but not by the verbs that mend it") {
        const test::temp_dir files;
        const auto around =
            world({{"QCTL_CONFIG", put(files, "config.yaml", two_contexts, 0644).string()}});

        CHECK(refusal_of([&] {
                  static_cast<void>(settings_of({"queues", "list"}, around));
              }).exit == exit_code::usage);
        CHECK(refusal_of([&] {
                  static_cast<void>(settings_of({"context", "list"}, around));
              }).exit == exit_code::ok);
        CHECK(refusal_of([&] { static_cast<void>(settings_of({"version"}, around)); }).exit ==
              exit_code::ok);
    }

    TEST_CASE("the file is written for its owner alone") {
        const test::temp_dir files;
        const auto path = files.path() / "deep/er/config.yaml";
        qctl::context_list list;
        qctl::named_context one;
        one.name = "a";
        one.db = "d";
        list.entries = {one};

        qctl::write_contexts(path, list);

        struct stat about {};
        REQUIRE(::stat(path.c_str(), &about) == 0);
        CHECK((about.st_mode & 0777U) == 0600U);
        CHECK(qctl::read_contexts(path).at("a").db == "d");
    }

    TEST_CASE("in a protected context its name is demanded and --yes does not do") {
        qctl::settings options;
        options.context = "prod";
        options.is_protected = true;
        options.yes = true;
        const auto& pause = qctl::find_command(qctl::verb::queues_pause);
        const auto& retry = qctl::find_command(qctl::verb::jobs_retry);
        const auto& list = qctl::find_command(qctl::verb::jobs_list);
        const auto code = [&](const qctl::command& leaf) {
            return refusal_of([&] { demand_context_consent(options, leaf); }).exit;
        };

        CHECK(code(pause) == exit_code::refused);
        CHECK(code(retry) == exit_code::refused);
        CHECK(code(list) == exit_code::ok);
        CHECK(refusal_of([&] { demand_consent(options, qctl::danger::moderate, "money"); }).exit ==
              exit_code::usage);
        options.confirm = "staging";
        CHECK(code(pause) == exit_code::usage);
        options.confirm = "prod";
        CHECK(code(pause) == exit_code::ok);
        CHECK(refusal_of([&] { demand_consent(options, qctl::danger::moderate, "money"); }).exit ==
              exit_code::ok);
        CHECK(refusal_of([&] { demand_consent(options, qctl::danger::severe, "money"); }).exit ==
              exit_code::usage);
        options.confirm.reset();
        options.dry_run = true;
        CHECK(code(pause) == exit_code::ok);
    }
}
