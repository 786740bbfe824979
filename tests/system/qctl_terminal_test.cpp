#include "system/qctl_bench.hpp"

#include <sys/stat.h>

#include <fstream>

// Danger rules, and what changes when a person watches. The terminal is a real one: script(1) runs
// qctl on a pseudo-terminal and hands over our input and its exit code.

using test::contains;
using test::qctl_bench;
using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

std::string shell_quoted(const std::string& word) {
    std::string out{"'"};
    for (const char c : word) {
        out += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return out + "'";
}

/// Output and messages come mixed, as on a screen.
test::command_result on_terminal(const qctl_bench& bench, const words& args,
                                 const std::string& typed = {}, int columns = 80,
                                 const words& more_env = {}) {
    std::string line = "stty cols " + std::to_string(columns) + " -echo; exec env";
    for (const auto& each : more_env) {
        line += " " + shell_quoted(each);
    }
    line += " " + shell_quoted(test::binary("qctl").string());
    for (const auto& arg : args) {
        line += " " + shell_quoted(arg);
    }
    auto options = bench.command({"-qec", line, "/dev/null"}, typed);
    options.program = "script";
    return test::run_command(options);
}

}  // namespace

TEST_SUITE("qctl danger") {
    TEST_CASE("without a terminal a verb that must ask is refused and says what to pass") {
        qctl_bench bench;
        const auto dead = std::to_string(bench.bury("boom"));
        for (const auto& args :
             {words{"queues", "pause", "default"}, words{"dlq", "discard", dead},
              words{"dlq", "replay", "--all"}, words{"dlq", "replay", "--error", "boom"},
              words{"dlq", "discard", "--error", "boom"}}) {
            CAPTURE(args);
            const auto done = bench.run(args, "y\n");
            CHECK(done.code == 2);
            CHECK(contains(done.errors, "pass --yes"));
        }
        for (const auto& args :
             {words{"queues", "purge", "default"}, words{"dlq", "discard", "--all"},
              words{"queues", "purge", "default", "--yes"},
              words{"dlq", "discard", "--all", "-y"}}) {
            CAPTURE(args);
            const auto done = bench.run(args, "default\n");
            CHECK(done.code == 2);
            CHECK(contains(done.errors, "--confirm"));
        }
        CHECK(bench.database.query("SELECT count(*) FROM queue.dead_letter") == "1");
        CHECK(bench.json({"queues", "show", "default"}).at("paused") == false);
    }

    TEST_CASE("a wrong name does not confirm") {
        qctl_bench bench;
        const auto id = bench.enqueue();

        CHECK(bench.code({"queues", "purge", "default", "--confirm", "other"}) == 2);
        CHECK(bench.state(id) == "ready");
    }

    TEST_CASE("at a terminal a moderate verb shows the count and asks y/N") {
        qctl_bench bench;
        static_cast<void>(bench.bury("boom"));
        static_cast<void>(bench.bury("boom"));

        const auto no = on_terminal(bench, {"dlq", "replay", "--error", "boom"}, "n\n");
        CHECK(no.code == 1);
        CHECK(contains(no.output, "This will replay 2 dead letters. Go on? [y/N]"));
        CHECK(contains(no.output, "nothing was done"));
        CHECK(bench.database.query("SELECT count(*) FROM queue.dead_letter") == "2");

        const auto yes = on_terminal(bench, {"dlq", "replay", "--error", "boom"}, "y\n");
        CHECK(yes.code == 0);
        CHECK(contains(yes.output, "replayed 2 dead letters"));
    }

    TEST_CASE("at a terminal a severe verb wants the name typed") {
        qctl_bench bench;
        const auto id = bench.enqueue();

        const auto wrong = on_terminal(bench, {"queues", "purge", "default", "-y"}, "y\n");
        CHECK(wrong.code == 1);
        CHECK(contains(wrong.output, "Type default to go on"));
        CHECK(bench.state(id) == "ready");

        CHECK(on_terminal(bench, {"queues", "purge", "default"}, "default\n").code == 0);
        CHECK(bench.state(id) == "cancelled");
    }

    TEST_CASE("--no-input refuses at a terminal too") {
        const qctl_bench bench;
        CHECK(on_terminal(bench, {"queues", "pause", "default", "--no-input"}).code == 2);
    }
}

TEST_SUITE("qctl at a terminal") {
    TEST_CASE("times are relative, tables are cut and coloured; none of it elsewhere") {
        qctl_bench bench;
        static_cast<void>(bench.bury(std::string(300, 'e')));
        static_cast<void>(bench.enqueue({"--in", "119m"}));

        const auto screen = on_terminal(bench, {"jobs", "list"});
        const auto plain = bench.run({"jobs", "list"});

        CHECK(contains(screen.output, " in 1h "));
        CHECK(contains(screen.output, "…"));
        CHECK(contains(screen.output, "\x1b[31mdead"));
        CHECK_FALSE(contains(plain.output, " in 1h "));
        CHECK(contains(plain.output, std::string(300, 'e')));
        CHECK_FALSE(contains(plain.output, "\x1b"));
    }

    TEST_CASE("NO_COLOR, TERM=dumb and --no-color mean no colour") {
        qctl_bench bench;
        static_cast<void>(bench.bury("boom"));

        CHECK_FALSE(
            contains(on_terminal(bench, {"jobs", "list"}, "", 80, {"NO_COLOR=1"}).output, "\x1b["));
        CHECK_FALSE(
            contains(on_terminal(bench, {"jobs", "list"}, "", 80, {"TERM=dumb"}).output, "\x1b["));
        CHECK_FALSE(contains(on_terminal(bench, {"jobs", "list", "--no-color"}).output, "\x1b["));
        CHECK(contains(bench.run({"jobs", "list", "--color=always"}).output, "\x1b["));
    }

    TEST_CASE("enqueue adds a message for the person, not for a script") {
        const qctl_bench bench;

        const auto screen = on_terminal(bench, {"enqueue", "a.b"});
        const auto quiet = on_terminal(bench, {"enqueue", "a.b", "-q"});

        CHECK(contains(screen.output, "1\r\n"));
        CHECK(contains(screen.output, "qctl jobs show 1"));
        CHECK(quiet.output == "2\r\n");
        CHECK(bench.run({"enqueue", "a.b"}).errors.empty());
    }

    TEST_CASE("top: q leaves at once, also in the middle of a question the database sits on") {
        const qctl_bench bench;
        test::connection other{bench.database.dsn()};
        other.execute("BEGIN");
        other.execute("LOCK TABLE queue.queue IN ACCESS EXCLUSIVE MODE");
        const auto keys = bench.files.path() / "keys";
        REQUIRE(::mkfifo(keys.c_str(), 0600) == 0);
        std::fstream typed{keys};
        auto options = bench.command({"-c", "exec script -qec 'stty cols 80 rows 24 -echo; exec " +
                                                test::binary("qctl").string() +
                                                " top --timeout 60s' /dev/null <" + keys.string()});
        options.program = "sh";
        test::process top{options};
        REQUIRE(test::wait_until([&] {
            return bench.database.query(
                       "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND wait_event_type = 'Lock'") == "1";
        }));

        typed << 'q' << std::flush;

        const auto ended = top.wait(test::scaled(10s));
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
    }
}
