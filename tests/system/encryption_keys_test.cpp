#include "support/wait_until.hpp"
#include "system/qctl_bench.hpp"

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using test::contains;
using test::qctl_bench;

namespace {

namespace fs = std::filesystem;

/// qctl, keys, and workerd for the encrypted kind debug.echo.
class vault : public qctl_bench {
   public:
    vault() { REQUIRE(code({"keys", "create", keys(), "--id", "k1"}) == 0); }
    [[nodiscard]] std::string keys() const { return (files.path() / "keys").string(); }
    [[nodiscard]] std::string config_text() const {
        return "database: {dsn: \"" + database.dsn() +
               "\"}\nqueues: {default: {concurrency: 20}}\nprocessors: {debug: true}\n"
               "http: {enabled: false}\nencryption: {keys: keys}\n"
               "kinds: {debug.echo: {encrypted: true}}\n";
    }
    [[nodiscard]] test::process_options daemon_command(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"--config", files.write("w.yaml", config_text()).string()});
        return test::process_options{test::binary("workerd"), std::move(more)};
    }
    [[nodiscard]] std::unique_ptr<test::process> start() const {
        auto made = std::make_unique<test::process>(daemon_command());
        REQUIRE(made->wait_for_text("worker_ready"));
        return made;
    }
    void enqueue_sealed(int count) const {
        std::string lines;
        for (int i = 0; i < count; ++i) {
            lines += R"({"canary":"canary-4711","n":)" + std::to_string(i) + "}\n";
        }
        const auto done = run({"enqueue", "debug.echo", "--bulk", "-", "--keyring", keys()}, lines);
        REQUIRE_MESSAGE(done.code == 0, done.errors);
    }
    [[nodiscard]] bool wait_completed(int count) const {
        return test::wait_until(
            [&] {
                return database.query(
                           "SELECT count(*) FROM queue.attempt WHERE outcome = "
                           "'completed'") == std::to_string(count);
            },
            60s);
    }
};

}  // namespace

TEST_SUITE("keys") {
    TEST_CASE("keys: rotated under load, no job is lost and the old key can be deleted") {
        const vault v;
        auto first = v.start();
        auto second = v.start();
        v.enqueue_sealed(300);

        for (const std::string id : {"k2", "k3"}) {
            REQUIRE(v.code({"keys", "rotate", v.keys(), "--id", id}) == 0);
            v.enqueue_sealed(300);
            for (auto* each : {first.get(), second.get()}) {
                each->signal(SIGHUP);
                REQUIRE(each->wait_for_text("\"active\":\"" + id + "\""));
            }
        }
        // Jobs that came with a key before their worker had it wait for it, 10 s at first.
        REQUIRE(v.wait_completed(900));
        const auto sealed = v.json({"keys", "reseal", v.keys()});
        CHECK(sealed.at("unreadable") == 0);
        const auto usage = v.json({"keys", "usage"});
        for (const auto& row : usage.as_array()) {
            CHECK(row.at("key_id") == "k3");
            CHECK(row.at("texts") == 900);
        }
        CHECK(usage.as_array().size() == 2);

        fs::remove(v.keys() + "/k1.key");
        fs::remove(v.keys() + "/k2.key");
        const auto id = v.database.query("SELECT min(id) FROM queue.job");
        const auto blind = v.json({"jobs", "show", id});
        const auto open = v.json({"jobs", "show", id, "--keyring", v.keys()});
        CHECK(blind.at("payload").at("kid") == "k3");
        CHECK(open.at("payload").at("canary") == "canary-4711");
        CHECK(open.at("output") == open.at("payload"));
        CHECK_FALSE(contains(first->errors() + second->errors(), "canary"));
        const auto dump = test::run_command(test::process_options{
            (test::pg_bin_dir() / "pg_dump").string(), {"-d", v.database.dsn()}});
        REQUIRE(dump.code == 0);
        CHECK_FALSE(contains(dump.output, "canary"));
        for (auto* each : {first.get(), second.get()}) {
            each->signal(SIGTERM);
            CHECK(each->wait(30s)->code == 0);
        }
    }

    TEST_CASE("keys: workerd refuses a key file that is missing or readable by others, by name") {
        const vault v;
        const auto file = v.keys() + "/k1.key";
        REQUIRE(::chmod(file.c_str(), 0644) == 0);
        const auto open = test::run_command(v.daemon_command({"--check-config"}));
        CHECK(open.code == 2);
        CHECK(contains(open.output + open.errors, file));
        CHECK(contains(open.output + open.errors, "chmod 600"));

        fs::remove_all(v.keys());
        const auto missing = test::run_command(v.daemon_command({"--check-config"}));
        CHECK(missing.code == 2);
        CHECK(contains(missing.output + missing.errors, v.keys()));
    }

    TEST_CASE("keys: a reload with an unfit key keeps the old ones and says so") {
        const vault v;
        auto workerd = v.start();
        const auto odd = fs::path{v.keys()} / "k2.key";
        static_cast<void>(v.files.write("keys/k2.key", "short"));
        REQUIRE(::chmod(odd.c_str(), 0600) == 0);

        workerd->signal(SIGHUP);

        REQUIRE(workerd->wait_for_text("config_refused"));
        CHECK(contains(workerd->errors(), odd.string()));
        fs::remove(odd);
        v.enqueue_sealed(1);
        CHECK(v.wait_completed(1));
    }

    TEST_CASE("keys: encrypted kinds without keys are a fault of the configuration") {
        const vault v;
        const auto file = v.files.write(
            "bad.yaml", "database: {dsn: \"" + v.database.dsn() +
                            "\"}\nqueues: {default: {concurrency: 1}}\nprocessors: {debug: true}\n"
                            "kinds: {debug.echo: {encrypted: true}}\n");
        const auto checked = test::run_command(test::process_options{
            test::binary("workerd"), {"--config", file.string(), "--check-config"}});
        CHECK(checked.code == 2);
        CHECK(contains(checked.output + checked.errors, "kinds.debug.echo.encrypted"));
    }

    TEST_CASE("keys: qctl makes, lists and checks keys and never prints them") {
        const vault v;
        const std::string tenant{"AAAAAAAA-0000-4000-8000-000000000001"};
        CHECK(v.json({"keys", "create", v.keys(), "--tenant", tenant}).at("id") ==
              "tenant-aaaaaaaa-0000-4000-8000-000000000001");
        CHECK(v.error({"keys", "create", v.keys(), "--id", "k1"}).first == 2);
        CHECK(v.error({"keys", "create", v.keys(), "--id", "../k"}).first == 2);
        CHECK(v.error({"keys", "check", v.keys() + "/none"}).first == 2);
        CHECK(v.json({"keys", "rotate", v.keys(), "--id", "k9", "-n"}).at("id") == "k9");

        const auto listed = v.run({"keys", "list", v.keys(), "-o", "json"});
        const auto checked = v.json({"keys", "check", v.keys()});

        CHECK(boost::json::parse(listed.output).as_array().size() == 2);
        CHECK_FALSE(contains(listed.output, test::read_file(v.keys() + "/k1.key").substr(0, 20)));
        CHECK(checked.at("active") == "k1");
        CHECK(checked.at("keys") == 2);
    }

    TEST_CASE("keys: with a key of each tenant, one deleted makes that tenant's jobs unreadable") {
        const vault v;
        const std::string tenant{"aaaaaaaa-0000-4000-8000-000000000001"};
        const qctl_bench::words enqueue{"enqueue", "debug.echo",   R"({"n":1})", "--keyring",
                                        v.keys(),  "--per-tenant", "--tenant",   tenant};
        CHECK(v.run(enqueue).code != 0);
        REQUIRE(v.code({"keys", "create", v.keys(), "--tenant", tenant}) == 0);
        const auto id = v.run(enqueue).output;
        REQUIRE_FALSE(id.empty());
        const auto job = id.substr(0, id.size() - 1);
        CHECK(v.json({"jobs", "show", job, "--keyring", v.keys()}).at("payload").at("n") == 1);

        fs::remove(v.keys() + "/tenant-" + tenant + ".key");

        CHECK(v.json({"jobs", "show", job, "--keyring", v.keys()})
                  .at("payload")
                  .as_object()
                  .contains("kid"));
        CHECK(v.run({"keys", "reseal", v.keys(), "--per-tenant"}).code == 8);
    }
}
