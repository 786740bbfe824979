#include "support/http_receiver.hpp"
#include "support/process.hpp"
#include "support/query.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr auto start_time = 60s;

// A folder the user `postgres` can reach when the tests run as root: test::temp_dir is private.
class open_folder {
   public:
    open_folder() { REQUIRE(::chmod(dir_.path().c_str(), 0755) == 0); }
    [[nodiscard]] std::filesystem::path dev() const { return dir_.path() / "dev"; }

   private:
    test::temp_dir dir_;
};

test::process_options dev_command(const open_folder& folder, const std::string& flag = "--dev") {
    test::process_options options{
        test::binary("workerd"),
        {flag, "--dev-dir", folder.dev().string(), "--http-listen", "127.0.0.1:0"}};
    for (const char* name : {"DATABASE_URL", "PGHOST", "PGDATABASE"})
        options.env.emplace_back(name, "");
    return options;
}

bool is_ready(test::process& workerd) {
    return workerd.wait_for_text("worker_ready", start_time);
}

// What dev.env says, by variable.
std::map<std::string, std::string> environment_of(const open_folder& folder) {
    std::map<std::string, std::string> found;
    std::ifstream input{folder.dev() / "dev.env"};
    for (std::string line; std::getline(input, line);) {
        const auto equals = line.find('=');
        found[line.substr(0, equals)] = line.substr(equals + 2, line.size() - equals - 3);
    }
    return found;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (!entry.path().filename().string().starts_with('.'))
            files.push_back(entry.path());
    }
    return files;
}

bool await_state(const std::string& dsn, const std::string& id, const std::string& state) {
    return test::wait_until([&] {
        return test::query(dsn, "SELECT state FROM queue.jobs WHERE id = $1::bigint", {id}) ==
               state;
    });
}

std::string enqueue(const std::string& dsn, const std::string& kind, const std::string& payload) {
    return test::query(dsn, "SELECT queue.enqueue($1, $2::jsonb)", {kind, payload});
}

pid_t postgres_pid(const open_folder& folder) {
    pid_t pid = 0;
    std::ifstream{folder.dev() / "data/postmaster.pid"} >> pid;
    return pid;
}

// Ended; a zombie counts, because nobody reaps orphans in a container without an init.
bool is_gone(pid_t pid) {
    std::string text;
    if (!std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/stat"}, text))
        return true;
    const auto end = text.rfind(')');
    return text.compare(end, 3, ") Z") == 0;
}

}  // namespace

TEST_SUITE("dev mode") {
    TEST_CASE("dev mode: jobs, mails and webhooks run with no set-up at all") {
        const open_folder folder;
        test::process workerd{dev_command(folder)};
        REQUIRE(is_ready(workerd));
        REQUIRE(workerd.wait_for_text("for development only"));
        auto environment = environment_of(folder);
        const auto dsn = environment["DATABASE_URL"];

        const auto echo = enqueue(dsn, "debug.echo", R"({"a":1})");
        const auto mail =
            enqueue(dsn, "email.send",
                    R"({"to":"john@example.com","subject":"Thanks","text":".dot\nhello"})");
        const auto hook = enqueue(dsn, "webhook.deliver",
                                  R"({"event":"order.paid","data":{"order":7},"url":")" +
                                      environment["WORKERD_DEV_WEBHOOK_URL"] + "/orders\"}");

        CHECK(await_state(dsn, echo, "completed"));
        CHECK(await_state(dsn, mail, "completed"));
        CHECK(await_state(dsn, hook, "completed"));
        const auto mails = files_in(environment["WORKERD_DEV_MAILS"]);
        REQUIRE(mails.size() == 1);
        const auto text = test::read_file(mails.front());
        CHECK(text.find("X-Envelope-To: <john@example.com>\r\n") == text.find("X-Envelope-To"));
        CHECK(text.find("Subject: Thanks\r\n") != std::string::npos);
        CHECK(text.find("\r\n.dot\r\nhello") != std::string::npos);
        const auto hooks = files_in(environment["WORKERD_DEV_WEBHOOKS"]);
        REQUIRE(hooks.size() == 1);
        const auto request = boost::json::parse(test::read_file(hooks.front())).as_object();
        CHECK(request.at("method").as_string() == "POST");
        CHECK(request.at("target").as_string() == "/orders");
        CHECK(request.at("headers").as_object().contains("webhook-signature"));
        CHECK(std::string{request.at("body").as_string()}.find("\"order\"") != std::string::npos);

        workerd.signal(SIGTERM);
        const auto ended = workerd.wait(30s);
        CAPTURE(workerd.errors());
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        // Mail addresses are masked in the log.
        CHECK(workerd.errors().find("john@example.com") == std::string::npos);
    }

    TEST_CASE("dev mode: prints a link that signs in to the dashboard") {
        const open_folder folder;
        test::process workerd{dev_command(folder)};
        REQUIRE(is_ready(workerd));
        const auto said = workerd.output();
        const std::string mark = "/#token=";
        const auto at = said.find(mark);
        REQUIRE(at != std::string::npos);
        const auto begin = said.rfind("http://", at);
        const auto server = said.substr(begin, at - begin);
        const auto from = at + mark.size();
        const auto token = said.substr(from, said.find('\n', at) - from);
        const auto ask = [&](const std::string& path) {
            const std::vector<std::string> args{"-s", "-H", "Authorization: Bearer " + token,
                                                server + path};
            return test::run_command(test::process_options{"curl", args}).output;
        };

        CHECK(ask("/").find("<base href=\"/\"") != std::string::npos);
        CHECK(ask("/api/v1/whoami").find(R"("role":"admin")") != std::string::npos);
        // The link is for whoever looks at the terminal.
        CHECK(workerd.errors().find(token) == std::string::npos);
    }

    TEST_CASE("dev mode: data is there again next time, and gone after --dev=fresh") {
        const open_folder folder;
        std::string job;
        std::string webhook_url;
        {
            test::process workerd{dev_command(folder)};
            REQUIRE(is_ready(workerd));
            const auto dsn = environment_of(folder)["DATABASE_URL"];
            webhook_url = environment_of(folder)["WORKERD_DEV_WEBHOOK_URL"];
            job = enqueue(dsn, "debug.echo", "{}");
            REQUIRE(await_state(dsn, job, "completed"));
            const auto postgres = postgres_pid(folder);
            workerd.signal(SIGTERM);
            REQUIRE(workerd.wait(30s)->code == 0);
            CHECK(is_gone(postgres));
        }
        {
            test::process workerd{dev_command(folder)};
            REQUIRE(is_ready(workerd));
            CHECK(await_state(environment_of(folder)["DATABASE_URL"], job, "completed"));
            // Jobs in the database name the sink, so it keeps its port.
            CHECK(environment_of(folder)["WORKERD_DEV_WEBHOOK_URL"] == webhook_url);
            workerd.signal(SIGINT);
            REQUIRE(workerd.wait(30s)->code == 0);
        }
        test::process workerd{dev_command(folder, "--dev=fresh")};
        REQUIRE(is_ready(workerd));
        CHECK(test::query(environment_of(folder)["DATABASE_URL"],
                          "SELECT count(*) FROM queue.jobs") == "0");
        workerd.signal(SIGTERM);
        REQUIRE(workerd.wait(30s)->code == 0);
    }

    TEST_CASE("dev mode: PostgreSQL ends with a workerd that is killed, and the next one starts") {
        const open_folder folder;
        pid_t postgres = 0;
        {
            test::process workerd{dev_command(folder)};
            REQUIRE(is_ready(workerd));
            postgres = postgres_pid(folder);
            REQUIRE(postgres > 0);
            workerd.kill();
        }
        test::process again{dev_command(folder)};
        CHECK(is_ready(again));
        CHECK(is_gone(postgres));
        again.signal(SIGTERM);
        CHECK(again.wait(30s)->code == 0);
    }

    TEST_CASE("dev mode: a second process is told who uses the folder") {
        const open_folder folder;
        test::process first{dev_command(folder)};
        REQUIRE(is_ready(first));

        const auto second = test::run_command(dev_command(folder));

        CHECK(second.code == 1);
        CHECK(second.errors.find("in use by process " + std::to_string(first.pid())) !=
              std::string::npos);
        first.signal(SIGTERM);
        CHECK(first.wait(30s)->code == 0);
    }

    TEST_CASE("dev mode: workerd leaves with an error when its PostgreSQL is killed") {
        const open_folder folder;
        test::process workerd{dev_command(folder)};
        REQUIRE(is_ready(workerd));

        ::kill(postgres_pid(folder), SIGKILL);

        const auto ended = workerd.wait(60s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 1);
        CHECK(workerd.errors().find("dev_database_ended") != std::string::npos);
    }

    TEST_CASE("dev mode: a database of its own, an open address and a foreign folder are refused") {
        const open_folder folder;
        auto with_database = dev_command(folder);
        with_database.args.insert(with_database.args.end(), {"--db", "postgresql://db/app"});
        const auto database = test::run_command(with_database);
        CHECK(database.code == 2);
        CHECK(database.errors.find("no database with --dev") != std::string::npos);

        auto open_address = dev_command(folder);
        open_address.args.back() = "0.0.0.0:0";
        const auto address = test::run_command(open_address);
        CHECK(address.code == 2);
        CHECK(address.errors.find("a loopback address with --dev") != std::string::npos);

        std::filesystem::create_directory(folder.dev());
        std::ofstream{folder.dev() / "precious"} << "data";
        const auto foreign = test::run_command(dev_command(folder, "--dev=fresh"));
        CHECK(foreign.code == 1);
        CHECK(foreign.errors.find("with other files in it") != std::string::npos);
        CHECK(std::filesystem::exists(folder.dev() / "precious"));
    }
}
