#include "support/process.hpp"
#include "support/query.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <signal.h>

#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::string config_text(const std::string& dsn, const std::string& more = {}) {
    return "database: {dsn: \"" + dsn +
           "\"}\n"
           "queues: {default: {concurrency: 10}}\n"
           "processors: {debug: true}\n"
           "http: {listen: \"127.0.0.1:0\"}\n" +
           more;
}

test::process_options workerd_command(const std::filesystem::path& config,
                                      std::vector<std::string> more = {}) {
    std::vector<std::string> args{"--config", config.string()};
    args.insert(args.end(), more.begin(), more.end());
    return test::process_options{test::binary("workerd"), args};
}

// The log lines of one event; every line of stderr must be a JSON object.
std::vector<boost::json::object> events(const test::process& workerd, std::string_view event) {
    std::vector<boost::json::object> found;
    std::istringstream input{workerd.errors()};
    for (std::string line; std::getline(input, line);) {
        boost::system::error_code error;
        auto parsed = boost::json::parse(line, error);
        // The last line may be half written.
        if (error || !parsed.is_object())
            continue;
        if (parsed.at("event").as_string() == event)
            found.push_back(parsed.as_object());
    }
    return found;
}

std::string http_address(const test::process& workerd) {
    return std::string{events(workerd, "http_listening").at(0).at("address").as_string()};
}

void connect(boost::asio::ip::tcp::socket& socket, const std::string& address) {
    const auto colon = address.rfind(':');
    const auto port = static_cast<unsigned short>(std::stoi(address.substr(colon + 1)));
    socket.connect({boost::asio::ip::make_address(address.substr(0, colon)), port});
}

// The raw answer to raw bytes.
std::string ask(const std::string& address, const std::string& request) {
    namespace asio = boost::asio;
    asio::io_context io;
    asio::ip::tcp::socket socket{io};
    connect(socket, address);
    boost::system::error_code error;
    asio::write(socket, asio::buffer(request), error);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
}

std::string get(const std::string& address, const std::string& target) {
    return ask(address, "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

}  // namespace

TEST_SUITE("daemon") {
    TEST_CASE("daemon: --check-config says everything wrong and exits with 2, or with 0") {
        const test::temp_dir folder;
        const auto good = folder.write("good.yaml", config_text("postgresql://nowhere/app"));
        const auto bad = folder.write(
            "bad.yaml", config_text("postgresql://nowhere/app", "worker: {lease: 1s}\nlgo: {}\n"));

        const auto fine = test::run_command(workerd_command(good, {"--check-config"}));
        const auto faulty = test::run_command(workerd_command(bad, {"--check-config"}));

        CHECK(fine.code == 0);
        CHECK(fine.output == "configuration ok\n");
        CHECK(faulty.code == 2);
        CHECK(faulty.errors.find(bad.string() + ":5:17: worker.lease") != std::string::npos);
        CHECK(faulty.errors.find("did you mean log?") != std::string::npos);
        CHECK(test::run_command(workerd_command(bad)).code == 2);
    }

    TEST_CASE("daemon: wrong flags exit with 2 and say what was meant") {
        const auto run = [](std::vector<std::string> args) {
            return test::run_command(test::process_options{test::binary("workerd"), args});
        };
        CHECK(run({}).code == 2);
        CHECK(run({}).errors.find("workerd --dev runs without any set-up") != std::string::npos);
        CHECK(run({"--confg", "x"}).errors.find("did you mean --config?") != std::string::npos);
        CHECK(run({"--confg", "x"}).code == 2);
        CHECK(run({"--dev=old"}).code == 2);
        CHECK(run({"workerd.yaml"}).code == 2);
        CHECK(run({"--dev", "--set", "log.level"}).errors.find("PATH=VALUE") != std::string::npos);
        CHECK(run({"--version"}).output.starts_with("workerd "));
        CHECK(run({"--help"}).code == 0);
    }

    TEST_CASE("daemon: runs jobs, answers /health and drains on SIGTERM") {
        const test::test_database db;
        const test::temp_dir folder;
        test::process workerd{workerd_command(folder.write("w.yaml", config_text(db.dsn())))};
        REQUIRE(workerd.wait_for_text("worker_ready"));
        const auto address = http_address(workerd);

        CHECK(get(address, "/health/live").starts_with("HTTP/1.1 200"));
        CHECK(get(address, "/health/startup").starts_with("HTTP/1.1 200"));
        CHECK(
            get(address, "/health/ready").find(R"("database":"up","schema":"up","worker":"up")") !=
            std::string::npos);
        CHECK(get(address, "/").starts_with("HTTP/1.1 200"));
        CHECK(get(address, "/assets/nothing.js").starts_with("HTTP/1.1 404"));
        CHECK(ask(address,
                  "POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                  "Connection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 405"));
        CHECK(ask(address, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
        CHECK(ask(address, "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n")
                  .starts_with("HTTP/1.1 431"));
        CHECK(ask(address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" +
                               std::string(5'000, 'x'))
                  .starts_with("HTTP/1.1 413"));

        // Still open when the process ends; a sanitized build complains if that is not clean.
        boost::asio::io_context io;
        boost::asio::ip::tcp::socket idle{io};
        connect(idle, address);

        const auto slow = db.query("SELECT queue.enqueue('debug.sleep', '{\"ms\":300}')");
        REQUIRE(test::wait_until([&] {
            return db.query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {slow}) ==
                   "running";
        }));
        workerd.signal(SIGTERM);

        const auto ended = workerd.wait(30s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        CHECK(db.query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {slow}) ==
              "completed");
        CHECK(events(workerd, "drain_started").size() == 1);
        CHECK(events(workerd, "daemon_stopped").size() == 1);
    }

    TEST_CASE("daemon: a second signal leaves at once with its own exit code") {
        const test::test_database db;
        const test::temp_dir folder;
        test::process workerd{workerd_command(folder.write("w.yaml", config_text(db.dsn())))};
        REQUIRE(workerd.wait_for_text("worker_ready"));
        const auto job = db.query("SELECT queue.enqueue('debug.sleep', '{\"ms\":60000}')");
        REQUIRE(test::wait_until([&] {
            return db.query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {job}) ==
                   "running";
        }));

        workerd.signal(SIGTERM);
        REQUIRE(workerd.wait_for_text("drain_started"));
        workerd.signal(SIGTERM);

        const auto ended = workerd.wait(5s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 130);
        CHECK(events(workerd, "left_at_once").at(0).at("active").as_int64() == 1);
    }

    TEST_CASE("daemon: starts without a database, says so, and works when it comes") {
        test::pg_cluster cluster;
        const std::string dsn = cluster.dsn();
        cluster.stop();
        const test::temp_dir folder;
        test::process workerd{workerd_command(folder.write("w.yaml", config_text(dsn)))};
        REQUIRE(workerd.wait_for_text("database_lost"));
        REQUIRE(workerd.wait_for_text("http_listening"));
        const auto address = http_address(workerd);
        CHECK(get(address, "/health/live").starts_with("HTTP/1.1 200"));
        CHECK(get(address, "/health/startup").starts_with("HTTP/1.1 503"));
        CHECK(get(address, "/health/ready").starts_with("HTTP/1.1 503"));

        cluster.start();

        CHECK(workerd.wait_for_text("worker_ready", 60s));
        const auto job = test::query(dsn, "SELECT queue.enqueue('debug.noop', '{}')");
        CHECK(test::wait_until([&] {
            return test::query(dsn, "SELECT state FROM queue.jobs WHERE id = $1::bigint", {job}) ==
                   "completed";
        }));
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(30s)->code == 0);
    }

    TEST_CASE("daemon: the options of a kind reach the database over the defaults of the kind") {
        const test::test_database db;
        const test::temp_dir folder;
        const auto more =
            "kinds: {debug.fail: {max_attempts: 2, priority: -3, crash_budget: 7, on_lost: "
            "hold, retention: 1h30m}}\n";
        test::process workerd{workerd_command(folder.write("w.yaml", config_text(db.dsn(), more)))};
        REQUIRE(workerd.wait_for_text("worker_ready"));

        const auto rows = db.rows(
            "SELECT k.max_attempts, k.priority, k.crash_budget, k.on_lost, k.retention "
            "FROM queue.kind k "
            "WHERE k.name IN ('debug.fail', 'debug.noop') ORDER BY k.name");

        REQUIRE(rows.size() == 2);
        CHECK(rows[0] == test::row{"2", "-3", "7", "hold", "01:30:00"});
        CHECK(rows[1] == test::row{"4", "5", "3", "retry", std::nullopt});
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(30s)->code == 0);
    }

    TEST_CASE("daemon: warnings are log lines, and a kind that nobody handles is one") {
        const test::test_database db;
        const test::temp_dir folder;
        const auto file =
            folder.write("w.yaml", config_text(db.dsn(), "kinds: {debug.ehco: {timeout: 5s}}\n"));
        const auto checked = test::run_command(workerd_command(file, {"--check-config"}));
        CHECK(checked.code == 0);
        CHECK(checked.errors.find(":5:31: warning: kinds.debug.ehco") != std::string::npos);

        test::process workerd{workerd_command(file)};
        REQUIRE(workerd.wait_for_text("worker_ready"));
        REQUIRE(events(workerd, "config_fault").size() == 1);
        CHECK(std::string{events(workerd, "config_fault").at(0).at("fault").as_string()}.find(
                  "did you mean debug.echo?") != std::string::npos);
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(30s)->code == 0);
    }

    TEST_CASE("daemon: SIGUSR1 switches debug logging on and off") {
        const test::test_database db;
        const test::temp_dir folder;
        test::process workerd{workerd_command(folder.write("w.yaml", config_text(db.dsn())))};
        REQUIRE(workerd.wait_for_text("worker_ready"));
        workerd.signal(SIGUSR1);
        REQUIRE(workerd.wait_for_text("\"debug\""));
        workerd.signal(SIGUSR1);
        CHECK(test::wait_until([&] { return events(workerd, "log_level").size() == 2; }));
        CHECK(events(workerd, "log_level").back().at("level").as_string() == "info");
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(30s)->code == 0);
    }
}
