#include "command_table.hpp"
#include "config/option.hpp"
#include "system/qctl_bench.hpp"

#include <filesystem>
#include <utility>

// Verbs that ask nobody, or a person: configuration, manual pages, the full-screen view.

using test::contains;
using test::qctl_bench;

namespace {

using words = std::vector<std::string>;

/// qctl on a pseudo-terminal made by script(1), with what is typed.
test::command_result on_terminal(const qctl_bench& bench, const std::string& line,
                                 const std::string& typed) {
    auto options = bench.command({"-qec", line, "/dev/null"}, typed);
    options.program = "script";
    return test::run_command(options);
}

std::string qctl_path() {
    return "'" + test::binary("qctl").string() + "'";
}

constexpr std::string_view enter_screen = "\x1b[?1049h";
constexpr std::string_view leave_screen = "\x1b[?1049l";

}  // namespace

TEST_SUITE("qctl config") {
    TEST_CASE("validate says what workerd would, with exit 6, and 0 when it would start") {
        const qctl_bench bench;
        const auto good = bench.files.write(
            "good.yaml",
            "database: {dsn: \"postgresql://w@h/app\"}\nprocessors: {debug: true}\n"
            "queues: {default: {concurrency: 10}}\n");
        const auto bad = bench.files.write("bad.yaml",
                                           "database: {dsn: \"postgresql://w@h/app\"}\n"
                                           "processors: {debug: true}\nworker: {leese: 1s}\n");

        CHECK(bench.run({"config", "validate", good.string()}).output == "nothing found\n");
        const auto done = bench.run({"config", "validate", bad.string()});
        CHECK(done.code == 6);
        CHECK(contains(done.output, "bad.yaml:3:"));
        CHECK(contains(done.output, "did you mean"));
        const auto rows = boost::json::parse(
            bench.run({"config", "validate", bad.string(), "-o", "json"}).output);
        CHECK(rows.at(0).at("severity") == "error");
        CHECK(bench.code({"config", "validate", "/nowhere.yaml"}) == 6);
    }

    TEST_CASE("show names the place of each value and hides passwords") {
        const qctl_bench bench;
        const auto file = bench.files.write("w.yaml",
                                            "database: {dsn: \"postgresql://w@h/app\"}\n"
                                            "processors: {debug: true}\nlog: {level: debug}\n"
                                            "queues: {default: {concurrency: 10}}\n");

        const auto written =
            bench.run({"config", "show", file.string(), "--sources", "-o", "json"});
        CHECK_MESSAGE(written.code == 0, written.errors);
        CHECK(contains(written.output, "w.yaml:3:"));
        CHECK(contains(written.output, "\"path\":\"log.level\",\"value\":\"debug\""));
        const auto secret = bench.files.write(
            "s.yaml", "database: {dsn: \"postgresql://w:secret@h/app\"}\nlog: {level: debug}\n");
        const auto hidden = bench.run({"config", "show", secret.string(), "-o", "json"});
        CHECK(hidden.code == 6);
        CHECK(contains(hidden.output, "log.level"));
        CHECK_FALSE(contains(hidden.output + hidden.errors, "secret@"));
        CHECK_FALSE(contains(written.output, "log.format"));
        const auto all = bench.run({"config", "show", file.string(), "--effective", "-o", "json"});
        CHECK(contains(all.output, "log.format"));
        auto options = bench.command({"config", "show", file.string(), "--sources"});
        options.env.emplace_back("WORKERD_LOG__LEVEL", "warn");
        CHECK(contains(test::run_command(options).output, "environment WORKERD_LOG__LEVEL"));
    }

    TEST_CASE("schema knows every option and is one JSON document") {
        const qctl_bench bench;
        const auto schema = boost::json::parse(bench.run({"config", "schema"}).output);

        CHECK(contains(std::string{schema.at("$schema").as_string()}, "draft-07"));
        for (const auto& row : workerd::all_options()) {
            CAPTURE(std::string{row.path});
            const auto* at = &schema.as_object();
            bool known = true;
            for (const auto segment : workerd::split_path(row.path)) {
                const auto* next = segment == "*" ? at->if_contains("additionalProperties")
                                                  : at->if_contains("properties");
                if (next != nullptr && segment != "*") {
                    next = next->as_object().if_contains({segment.data(), segment.size()});
                }
                known = next != nullptr && next->is_object();
                if (!known) {
                    break;
                }
                at = &next->as_object();
            }
            CHECK(known);
        }
    }

    TEST_CASE("init writes a file that can be read, once") {
        const qctl_bench bench;
        const auto path = (bench.files.path() / "new.yaml").string();

        CHECK(bench.code({"config", "init", path}) == 0);
        CHECK(bench.code({"config", "init", path}) == 5);
        CHECK(bench.run({"config", "validate", path, "--no-environment"}).output ==
              "nothing found\n");
        CHECK(contains(bench.run({"config", "init", "--for-dev"}).output, "debug: true"));
    }
}

TEST_SUITE("qctl man") {
    TEST_CASE("there is a page for every command, and groff has nothing to say against it") {
        const qctl_bench bench;
        const auto folder = bench.files.path() / "man";

        REQUIRE(bench.code({"man", "--dir", folder.string()}) == 0);

        std::size_t pages = 0;
        for (const auto& each : std::filesystem::directory_iterator{folder}) {
            ++pages;
            test::process_options groff{"groff", {"-man", "-ww", "-Tutf8", "-z", each.path()}};
            const auto said = test::run_command(groff);
            CHECK_MESSAGE(said.errors.empty(), said.errors);
            CHECK(said.code == 0);
        }
        CHECK(pages == qctl::commands().size() + 1);
        const auto shown = test::run_command(test::process_options{
            "groff", {"-man", "-Tascii", "-P-cbou", folder / "qctl-jobs-list.1"}});
        CHECK(contains(shown.output, "--state A,B"));
        CHECK(contains(shown.output, "qctl jobs list --kind 'email.*' -o json"));
    }
}

TEST_SUITE("qctl top at a terminal") {
    TEST_CASE("it fills a screen of its own, obeys keys and puts the terminal back") {
        qctl_bench bench;
        static_cast<void>(bench.enqueue());
        const std::string settings = "stty rows 20 cols 100; before=$(stty -g); ";
        const std::string same =
            "; code=$?; [ \"$before\" = \"$(stty -g)\" ] && echo RESTORED $code";

        const auto quit =
            on_terminal(bench, settings + qctl_path() + " top --interval 200ms" + same, "s?xq");
        CHECK(contains(quit.output, std::string{enter_screen}));
        CHECK(contains(quit.output, std::string{leave_screen}));
        CHECK(contains(quit.output, "RESTORED 0"));
        CHECK(quit.output.rfind(leave_screen) > quit.output.rfind(enter_screen));
    }

    TEST_CASE("a signal that ends it puts the terminal back") {
        const qctl_bench bench;
        for (const auto& [signal, code] : {std::pair{"TERM", 143}, {"HUP", 129}, {"INT", 130}}) {
            CAPTURE(signal);
            const auto pid = (bench.files.path() / signal).string();
            // It is on screen when the terminal no longer waits for lines.
            const auto done = on_terminal(
                bench,
                "stty rows 20 cols 100; before=$(stty -g); (until stty -a </dev/tty | grep -q -e "
                "-icanon; do :; done; kill -" +
                    std::string{signal} + " $(cat " + pid + ")) & sh -c 'echo $$ > " + pid +
                    "; exec " + test::binary("qctl").string() +
                    " top'; code=$?; [ \"$before\" = \"$(stty -g)\" ] && echo RESTORED $code",
                "");
            CHECK(contains(done.output, std::string{leave_screen}));
            CHECK(contains(done.output, "RESTORED " + std::to_string(code)));
        }
    }

    TEST_CASE("without an answer it says so and still obeys") {
        const qctl_bench bench;
        const auto done = on_terminal(
            bench,
            "stty rows 20 cols 100; " + qctl_path() + " top --db 'host=127.0.0.1 port=1 dbname=x'",
            "q");

        CHECK(done.code == 0);
        CHECK(contains(done.output, "no answer"));
    }

    TEST_CASE("a wrong order or interval is refused") {
        const qctl_bench bench;
        CHECK(bench.code({"top", "--sort", "size"}) == 2);
        CHECK(bench.code({"top", "--interval", "10ms"}) == 2);
    }
}
