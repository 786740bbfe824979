#include "command_table.hpp"
#include "exit_code.hpp"
#include "help.hpp"
#include "invocation.hpp"
#include "settings.hpp"
#include "stop.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace {

using qctl::parse_command_line;
using qctl::stop;
using words = std::vector<std::string>;

// What a wrong command line is answered with, as "message | hint".
std::string refusal(const words& line) {
    try {
        static_cast<void>(parse_command_line(line));
    } catch (const stop& why) {
        CHECK(why.exit == qctl::exit_code::usage);
        return std::string{why.what()} + " | " + why.hint;
    }
    return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

qctl::environment quiet_world(const std::map<std::string, std::string>& variables = {}) {
    qctl::environment around;
    around.variable = [variables](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string{name});
        return found == variables.end() ? std::nullopt : std::optional{found->second};
    };
    return around;
}

qctl::settings settings_of(const words& line, const qctl::environment& around) {
    return qctl::resolve_settings(parse_command_line(line), around);
}

}  // namespace

TEST_SUITE("qctl command line") {
    TEST_CASE("flags mean the same before and after the verb") {
        for (const auto& line : {words{"-o", "json", "jobs", "list", "--limit", "5"},
                                 words{"jobs", "-o", "json", "list", "--limit=5"},
                                 words{"jobs", "list", "--limit", "5", "--output=json"},
                                 words{"jobs", "list", "-ojson", "--limit", "5"}}) {
            const auto call = parse_command_line(line);

            REQUIRE(call.leaf != nullptr);
            CHECK(call.leaf->id == qctl::verb::jobs_list);
            CHECK(call.text("output") == "json");
            CHECK(call.text("limit") == "5");
        }
    }

    TEST_CASE("letters may be grouped, the last taking a value") {
        const auto call = parse_command_line({"-qyo", "csv", "queues", "list", "-vn"});

        CHECK(call.has("quiet"));
        CHECK(call.has("yes"));
        CHECK(call.has("verbose"));
        CHECK(call.has("dry-run"));
        CHECK(call.text("output") == "csv");
    }

    TEST_CASE("what stands behind -- is an argument, whatever it looks like") {
        const auto call = parse_command_line({"enqueue", "--queue", "q", "--", "a.b", "-7"});

        CHECK(call.arguments == words{"a.b", "-7"});
    }

    TEST_CASE("a payload keeps its commas, line breaks and size") {
        const std::string large(300'000, 'x');
        const std::string payload = "{\"a\":1,\n\"b\":\"" + large + "\"}";

        const auto call = parse_command_line({"enqueue", "a.b", payload, "--meta", "k=1,2\n3"});

        CHECK(call.arguments[1] == payload);
        CHECK(call.all("meta") == words{"k=1,2\n3"});
    }

    TEST_CASE("a repeatable flag keeps all its values in order") {
        const auto call = parse_command_line({"enqueue", "a.b", "--tag", "x", "--tag=y"});

        CHECK(call.all("tag") == words{"x", "y"});
    }

    TEST_CASE("a flag with an optional value does not swallow the next word") {
        const auto bare = parse_command_line({"enqueue", "--wait", "a.b"});
        const auto given = parse_command_line({"enqueue", "a.b", "--wait=5s"});

        CHECK(bare.arguments == words{"a.b"});
        CHECK(bare.text("wait") == "");
        CHECK(given.text("wait") == "5s");
    }

    TEST_CASE("a switch may be switched off") {
        CHECK_FALSE(parse_command_line({"stats", "--quiet=false"}).has("quiet"));
        CHECK(parse_command_line({"stats", "--quiet=true"}).has("quiet"));
    }

    TEST_CASE("help is recognised anywhere before --") {
        CHECK(parse_command_line({}).help_wanted);
        CHECK(parse_command_line({"--help"}).help_wanted);
        CHECK(parse_command_line({"jobs", "-h"}).group == "jobs");
        const auto on_list = parse_command_line({"jobs", "list", "--nonsense", "--help"});
        CHECK(on_list.help_wanted);
        CHECK(on_list.leaf->id == qctl::verb::jobs_list);
        CHECK_FALSE(parse_command_line({"enqueue", "a.b", "--", "--help"}).help_wanted);
    }

    TEST_CASE("a slip is answered with a suggestion") {
        CHECK(contains(refusal({"enqeue", "a.b"}), "did you mean 'enqueue'?"));
        CHECK(contains(refusal({"jbos", "list"}), "did you mean 'jobs'?"));
        CHECK(contains(refusal({"jobs", "lst"}), "did you mean 'jobs list'?"));
        CHECK(contains(refusal({"jobs", "list", "--stat", "dead"}), "did you mean '--state'?"));
        CHECK(contains(refusal({"jobs", "list", "--ouptut", "json"}), "did you mean '--output'?"));
        CHECK(contains(refusal({"frobnicate"}), "qctl help lists the commands"));
    }

    TEST_CASE("wrong use is refused with what was expected") {
        CHECK(contains(refusal({"jobs"}), "expected a verb"));
        CHECK(contains(refusal({"jobs", "show"}), "expected ID, got nothing"));
        CHECK(contains(refusal({"jobs", "show", "seven"}), "ID: expected a whole number"));
        CHECK(contains(refusal({"jobs", "explain", "1", "2"}), "unexpected argument '2'"));
        CHECK(contains(refusal({"jobs", "list", "--limit"}), "--limit: expected a value"));
        CHECK(contains(refusal({"jobs", "list", "--limit", "0"}), "from 1 to 10000, got '0'"));
        CHECK(contains(refusal({"jobs", "list", "--limit", "5x"}), "got '5x'"));
        CHECK(contains(refusal({"jobs", "list", "--since", "soon"}), "a duration ago"));
        CHECK(contains(refusal({"jobs", "list", "--state", "dead,gone"}), "got 'gone'"));
        CHECK(contains(refusal({"jobs", "list", "--tenant", "7"}), "expected a UUID"));
        CHECK(contains(refusal({"jobs", "list", "--queue", "a", "--queue", "b"}), "at most once"));
        CHECK(contains(refusal({"enqueue", "a.b", "--at", "2026-01-31T08:00:00"}), "its zone"));
        CHECK(contains(refusal({"enqueue", "a.b", "--in", "30"}), "a duration such as"));
        CHECK(contains(refusal({"enqueue", "a.b", "--priority", "40000"}), "-32768 to 32767"));
        CHECK(contains(refusal({"dlq", "replay", "--rate", "fast"}), "a rate such as 50/s"));
        CHECK(
            contains(refusal({"stats", "-o", "xml"}), "table, wide, json, jsonl, yaml, csv or id"));
        CHECK(contains(refusal({"--limit", "5", "jobs", "list"}), "before the command"));
    }

    TEST_CASE("an argument that is not UTF-8 is refused by its place") {
        const auto said = refusal({"enqueue", "caf\xe9"});

        CHECK(contains(said, "argument 2: expected UTF-8, got 'caf\\xe9'"));
        CHECK(contains(said, "position 4"));
    }

    TEST_CASE("an error shows no control characters of what was typed") {
        const auto said = refusal({"jobs", "list", "--state", "\x1b[2Jdead"});

        CHECK(contains(said, "\\x1b[2Jdead"));
        CHECK_FALSE(contains(said, "\x1b"));
    }

    TEST_CASE("the wish for JSON is seen even in a wrong command line") {
        CHECK(qctl::wants_json({"jobs", "lst", "-o", "json"}));
        CHECK(qctl::wants_json({"--output=jsonl", "jobs"}));
        CHECK_FALSE(qctl::wants_json({"jobs", "list", "-o", "csv"}));
        CHECK_FALSE(qctl::wants_json({"enqueue", "a.b", "--", "-o", "json"}));
    }
}

TEST_SUITE("qctl settings") {
    TEST_CASE("the database comes from the flag, then QCTL_DB, then DATABASE_URL, then PG*") {
        const auto both = quiet_world({{"QCTL_DB", "dbname=one"}, {"DATABASE_URL", "dbname=two"}});

        CHECK(settings_of({"stats", "--db", "dbname=zero"}, both).dsn == "dbname=zero");
        CHECK(settings_of({"stats"}, both).dsn == "dbname=one");
        CHECK(settings_of({"stats"}, quiet_world({{"QCTL_DB", ""}, {"DATABASE_URL", "x=y"}})).dsn ==
              "x=y");
        CHECK(settings_of({"stats"}, quiet_world()).dsn.empty());
    }

    TEST_CASE("migrations prefer the owner's database") {
        const auto around = quiet_world({{"QCTL_DB", "dbname=a"}, {"QCTL_MIGRATE_DB", "dbname=b"}});

        CHECK(settings_of({"migrate", "up"}, around).dsn == "dbname=b");
        CHECK(settings_of({"stats"}, around).dsn == "dbname=a");
    }

    TEST_CASE("--dev takes the database that workerd --dev left word of") {
        const auto home =
            std::filesystem::temp_directory_path() / ("lq-qctl-" + std::to_string(::getpid()));
        const auto around = quiet_world({{"XDG_DATA_HOME", home.string()}, {"QCTL_DB", "x=y"}});
        CHECK_THROWS_AS(static_cast<void>(settings_of({"--dev", "stats"}, around)), stop);

        std::filesystem::create_directories(home / "workerd/dev");
        std::ofstream{home / "workerd/dev/dev.env"} << "DATABASE_URL='postgresql://dev'\nA='b'\n";
        CHECK(settings_of({"--dev", "stats"}, around).dsn == "postgresql://dev");
        CHECK_THROWS_AS(static_cast<void>(settings_of({"--dev", "stats", "--db", "z"}, around)),
                        stop);
        std::filesystem::remove_all(home);
    }

    TEST_CASE("colour needs a terminal that wants it, or an order") {
        auto terminal = quiet_world({{"TERM", "xterm"}});
        terminal.out_is_terminal = true;
        auto dumb = quiet_world({{"TERM", "dumb"}});
        dumb.out_is_terminal = true;
        auto refused = quiet_world({{"TERM", "xterm"}, {"NO_COLOR", "1"}});
        refused.out_is_terminal = true;

        CHECK(settings_of({"stats"}, terminal).color_out);
        CHECK_FALSE(settings_of({"stats", "--no-color"}, terminal).color_out);
        CHECK_FALSE(settings_of({"stats", "--color=never"}, terminal).color_out);
        CHECK_FALSE(settings_of({"stats"}, dumb).color_out);
        CHECK_FALSE(settings_of({"stats"}, refused).color_out);
        CHECK_FALSE(settings_of({"stats"}, quiet_world({{"TERM", "xterm"}})).color_out);
        CHECK(settings_of({"stats", "--color", "always"}, refused).color_out);
        CHECK(settings_of({"stats"}, quiet_world({{"CLICOLOR_FORCE", "1"}})).color_out);
    }

    TEST_CASE("passwords are masked in every spelling of a connection string") {
        CHECK(qctl::masked_dsn("postgresql://ann:s3cret@db/x") == "postgresql://ann:***@db/x");
        CHECK(qctl::masked_dsn("postgres://ann:p@ss/w@db:5432/x") ==
              "postgres://ann:***@db:5432/x");
        CHECK(qctl::masked_dsn("postgresql://db/x?password=s3cret&user=ann") ==
              "postgresql://db/x?password=***&user=ann");
        CHECK(qctl::masked_dsn("host=db password=s3cret user=ann") ==
              "host=db password=*** user=ann");
        CHECK(qctl::masked_dsn("password = 's3 \\'cret' host=db") == "password = *** host=db");
        CHECK(qctl::masked_dsn("host=db sslpassword=abc") == "host=db sslpassword=***");
        CHECK(qctl::masked_dsn("host=db dbname=x") == "host=db dbname=x");
    }
}

TEST_SUITE("qctl help") {
    TEST_CASE("every command has help that names its flags and an example") {
        for (const auto& each : qctl::commands()) {
            const auto text = qctl::command_help(each);

            CHECK(contains(text, qctl::usage_line(each)));
            for (const auto& own : each.flags) {
                CHECK_MESSAGE(contains(text, "--" + std::string{own.name}),
                              qctl::command_title(each));
            }
            CHECK(contains(text, std::string{each.examples[0]}));
        }
    }

    TEST_CASE("every example parses") {
        for (const auto& each : qctl::commands()) {
            for (const auto& example : each.examples) {
                // Quoting as a shell would; what stands behind a pipe or a comment is not ours.
                words line;
                std::string word;
                bool quoted = false;
                bool open = false;
                const std::string text{example.substr(0, example.find_first_of("|>"))};
                const auto end = std::min(text.find("    #"), text.size());
                for (const char c : text.substr(0, end) + " ") {
                    if (c == '\'') {
                        quoted = !quoted;
                        open = true;
                    } else if (c == ' ' && !quoted) {
                        if (open) {
                            line.push_back(word);
                        }
                        word.clear();
                        open = false;
                    } else {
                        word += c;
                        open = true;
                    }
                }
                REQUIRE(line.front() == "qctl");
                line.erase(line.begin());
                CHECK_MESSAGE(parse_command_line(line).leaf == &each, std::string{example});
            }
        }
    }

    TEST_CASE("exit codes are listed as they are") {
        const auto text = qctl::topic_help("exit-codes").value_or("");

        for (const auto* const entry : {"    0  done", "    2  usage", "    3  not found",
                                        "    8  partly done", "  130  interrupted"}) {
            CHECK(contains(text, entry));
        }
        std::set<int> codes;
        for (const auto& each : qctl::exit_code_meanings) {
            codes.insert(static_cast<int>(each.code));
        }
        CHECK(codes == std::set{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130});
    }

    TEST_CASE("help stays within the width of a terminal") {
        std::string all = qctl::general_help();
        for (const auto& each : qctl::commands()) {
            all += qctl::command_help(each);
        }
        for (const auto& each : qctl::topics()) {
            all += qctl::topic_help(each.name).value_or("");
        }
        std::istringstream lines{all};
        std::string line;
        while (std::getline(lines, line)) {
            const bool example = line.starts_with("  qctl ");
            CHECK_MESSAGE((example || line.size() <= 96), line);
        }
    }

    TEST_CASE("docs/qctl.md is what the command table says") {
        std::ifstream file{LIBQUEUE_SOURCE_FOLDER "/docs/qctl.md", std::ios::binary};
        std::ostringstream content;
        content << file.rdbuf();

        CHECK_MESSAGE(content.str() == qctl::manual(), "run: qctl help manual > docs/qctl.md");
    }
}
