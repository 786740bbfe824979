#include "notify_socket.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <string>

// What workerd tells systemd, over a real datagram socket.

using namespace std::chrono_literals;

namespace {

class service {
   public:
    explicit service(std::chrono::milliseconds watchdog = 0ms) {
        test::process_options options{test::binary("workerd"), {"--config", config("info")}};
        options.env.emplace_back("NOTIFY_SOCKET", socket.path());
        if (watchdog > 0ms)
            options.env.emplace_back("WATCHDOG_USEC", std::to_string(watchdog.count() * 1000));
        workerd = std::make_unique<test::process>(options);
    }

    [[nodiscard]] std::string config(const std::string& level) const {
        return files
            .write("w.yaml", "database: {dsn: \"" + db.dsn() +
                                 "\"}\nqueues: {default: {concurrency: 4}, mail: {}}\n"
                                 "processors: {debug: true}\nhttp: {listen: \"127.0.0.1:0\"}\n"
                                 "log: {level: " +
                                 level + "}\n")
            .string();
    }

    test::test_database db;
    test::temp_dir files;
    test::notify_socket socket;
    std::unique_ptr<test::process> workerd;
};

bool contains(const std::optional<std::string>& text, const std::string& part) {
    return text && text->find(part) != std::string::npos;
}

/// Stops the main thread of a process and no other, which SIGSTOP cannot: that stops them all.
class frozen_main_thread {
   public:
    explicit frozen_main_thread(pid_t pid) : pid_{pid} {
        REQUIRE(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0);
        REQUIRE(::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0);
        REQUIRE(::waitpid(pid, nullptr, __WALL) == pid);
    }
    ~frozen_main_thread() { ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr); }
    frozen_main_thread(const frozen_main_thread&) = delete;
    frozen_main_thread& operator=(const frozen_main_thread&) = delete;

   private:
    pid_t pid_;
};

}  // namespace

TEST_SUITE("service manager") {
    TEST_CASE("service manager: is told when the service is ready, reloads and stops") {
        service s;

        CHECK(s.socket.wait_for("READY=1"));
        CHECK(contains(s.socket.wait_for("STATUS=0 running, 0 done"), "queues default, mail"));

        static_cast<void>(s.config("warn"));
        s.workerd->signal(SIGHUP);
        CHECK(contains(s.socket.wait_for("RELOADING=1"), "\nMONOTONIC_USEC="));
        CHECK(s.socket.wait_for("READY=1"));

        s.workerd->signal(SIGTERM);
        // The drain time of 30 s and what comes after it.
        CHECK(contains(s.socket.wait_for("STOPPING=1"), "EXTEND_TIMEOUT_USEC=45000000"));
        CHECK(s.workerd->wait(30s)->code == 0);
        for (const auto& message : s.socket.seen())
            CHECK(message != "WATCHDOG=1");  // it did not ask for any
    }

    TEST_CASE("service manager: the status line counts jobs, and says that it drains") {
        service s;
        REQUIRE(s.socket.wait_for("READY=1"));
        s.db.execute("SELECT queue.enqueue('debug.noop', '{}') FROM generate_series(1, 3)");
        s.db.execute("SELECT queue.enqueue('debug.sleep', '{\"ms\":60000}')");

        CHECK(s.socket.wait_for("STATUS=1 running, 3 done"));
        s.workerd->signal(SIGTERM);
        CHECK(s.socket.wait_for("STATUS=draining: 1 running, 3 done"));
        s.workerd->signal(SIGTERM);
        CHECK(s.workerd->wait(10s)->code == 130);
    }

    TEST_CASE("service manager: a database that is away keeps no service from being ready") {
        test::pg_cluster cluster;
        const test::temp_dir files;
        test::notify_socket socket;
        const auto dsn = cluster.dsn();
        cluster.stop();
        test::process_options options{
            test::binary("workerd"),
            {"--config",
             files
                 .write("w.yaml",
                        "queues: {default: {}}\nprocessors: {debug: true}\n"
                        "http: {enabled: false}\n")
                 .string(),
             "--db", dsn}};
        options.env.emplace_back("NOTIFY_SOCKET", socket.path());
        test::process workerd{options};

        CHECK(socket.wait_for("READY=1"));
        CHECK(contains(socket.wait_for("STATUS=0 running"), "no database"));
    }

    TEST_CASE("service manager: the watchdog is fed while all loops turn") {
        service s{2s};
        REQUIRE(s.socket.wait_for("WATCHDOG=1"));

        CHECK_FALSE(s.socket.trips(2s, 5s));
    }

    TEST_CASE("service manager: a handler that blocks the worker's loop trips the watchdog") {
        service s{1s};
        REQUIRE(s.socket.wait_for("WATCHDOG=1"));
        s.db.execute("SELECT queue.enqueue('debug.hang', '{\"ms\":60000}')");

        CHECK(s.socket.trips(1s, 20s));
        CHECK(s.workerd->running());
    }

    TEST_CASE("service manager: a main loop that hangs trips the watchdog, too") {
        service s{1s};
        REQUIRE(s.socket.wait_for("WATCHDOG=1"));
        {
            const frozen_main_thread frozen{s.workerd->pid()};
            CHECK(s.socket.trips(1s, 20s));
        }
        CHECK(s.socket.wait_for("WATCHDOG=1"));
        s.workerd->signal(SIGTERM);
        CHECK(s.workerd->wait(30s)->code == 0);
    }

    TEST_CASE("service manager: dev mode is silent, and so is the PostgreSQL it starts") {
        const test::temp_dir folder;
        REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
        test::notify_socket socket;
        test::process_options options{test::binary("workerd"),
                                      {"--dev", "--dev-dir", (folder.path() / "dev").string(),
                                       "--http-listen", "127.0.0.1:0"}};
        for (const char* name : {"DATABASE_URL", "PGHOST", "PGDATABASE"})
            options.env.emplace_back(name, "");
        options.env.emplace_back("NOTIFY_SOCKET", socket.path());
        // Whoever runs PostgreSQL must be able to reach the socket, else its silence says nothing.
        REQUIRE(::chmod(std::filesystem::path{socket.path()}.parent_path().c_str(), 0755) == 0);
        REQUIRE(::chmod(socket.path().c_str(), 0777) == 0);
        test::process workerd{options};
        REQUIRE(workerd.wait_for_text("worker_ready", 60s));
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(60s)->code == 0);

        CHECK_FALSE(socket.next(0ms).has_value());
    }
}
