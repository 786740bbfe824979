#include "command_table.hpp"
#include "help.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

// The completion scripts, bash's in a real bash.

namespace {

using words = std::vector<std::string>;

std::string script(const std::string& shell) {
    const auto done =
        test::run_command(test::process_options{test::binary("qctl"), {"completion", shell}});
    REQUIRE(done.code == 0);
    return done.output;
}

class bash {
   public:
    /// What a Tab after these words of a command line offers; the last word is the one typed so
    /// far.
    [[nodiscard]] std::set<std::string> completes(const words& line) const {
        std::string program = "source " + file_.string() + "\nCOMP_WORDS=(";
        for (const auto& word : line) {
            program += "'" + word + "' ";
        }
        program += ")\nCOMP_CWORD=" + std::to_string(line.size() - 1) +
                   "\n_qctl\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
        const auto done =
            test::run_command(test::process_options{"bash", {"--norc", "-c", program}});
        CHECK_MESSAGE(done.errors.empty(), done.errors);
        std::set<std::string> offered;
        std::istringstream lines{done.output};
        for (std::string each; std::getline(lines, each);) {
            if (!each.empty()) {
                offered.insert(each);
            }
        }
        return offered;
    }

   private:
    test::temp_dir files_;
    std::filesystem::path file_{files_.write("qctl.bash", script("bash"))};
};

using names = std::set<std::string>;

}  // namespace

TEST_SUITE("qctl completion") {
    TEST_CASE("completion: bash offers groups, verbs and arguments") {
        const bash shell;

        CHECK(shell.completes({"qctl", "jo"}) == names{"jobs"});
        CHECK(shell.completes({"qctl", "doc"}) == names{"doctor"});
        CHECK(shell.completes({"qctl", "jobs", "re"}) == names{"resolve", "retry"});
        CHECK(shell.completes({"qctl", "jobs", ""}) ==
              names{"list", "count", "show", "explain", "lineage", "wait", "logs", "effects",
                    "resolve", "retry", "run-now", "snooze", "clone", "cancel"});
        CHECK(shell.completes({"qctl", "webhooks", ""}) ==
              names{"endpoints", "deliveries", "verify"});
        CHECK(shell.completes({"qctl", "webhooks", "endpoints", "en"}) == names{"enable"});
        CHECK(shell.completes({"qctl", "completion", ""}) == names{"bash", "zsh", "fish"});
        CHECK(shell.completes({"qctl", "help", "exit"}) == names{"exit-codes"});
        CHECK(shell.completes({"qctl", "jobs", "show", ""}).empty());
    }

    TEST_CASE("completion: bash knows every command and all of its flags") {
        const bash shell;
        for (const auto& leaf : qctl::commands()) {
            words line{"qctl"};
            if (!leaf.group.empty()) {
                line.emplace_back(leaf.group);
            }
            line.emplace_back(leaf.name);
            CAPTURE(qctl::command_title(leaf));
            CHECK(shell.completes(line).contains(std::string{leaf.name}));
            line.emplace_back("--");
            names expected;
            for (const auto flags : {leaf.flags, qctl::global_flags()}) {
                for (const auto& each : flags) {
                    expected.insert("--" + std::string{each.name});
                }
            }
            CHECK(shell.completes(line) == expected);
        }
    }

    TEST_CASE("completion: bash offers the values of a flag, also after an equals sign") {
        const bash shell;
        const names json{"json", "jsonl"};

        CHECK(shell.completes({"qctl", "jobs", "list", "-o", "js"}) == json);
        CHECK(shell.completes({"qctl", "jobs", "list", "--output", "js"}) == json);
        CHECK(shell.completes({"qctl", "jobs", "list", "--output", "=", "js"}) == json);
        CHECK(shell.completes({"qctl", "jobs", "list", "--output", "="}).size() == 7);
        CHECK(shell.completes({"qctl", "--color", "al"}) == names{"always"});
        CHECK(shell.completes({"qctl", "jobs", "list", "--state", "de"}) == names{"dead"});
        CHECK(shell.completes({"qctl", "jobs", "list", "--queue", ""}).empty());
        // The value of a flag is no word of the command.
        CHECK(shell.completes({"qctl", "--db", "jobs", "queu"}) == names{"queues"});
        CHECK(shell.completes({"qctl", "--db", "x", "jobs", "lis"}) == names{"list"});
    }

    TEST_CASE("completion: zsh and fish name every command and flag as well") {
        for (const std::string shell : {"zsh", "fish"}) {
            CAPTURE(shell);
            const auto text = script(shell);
            for (const auto& leaf : qctl::commands()) {
                CHECK(text.find(std::string{leaf.name}) != std::string::npos);
                for (const auto& each : leaf.flags) {
                    const auto name = (shell == "zsh" ? "--" : " -l ") + std::string{each.name};
                    CHECK_MESSAGE(text.find(name) != std::string::npos, name);
                }
            }
        }
    }

    TEST_CASE("completion: another shell is a usage error that names the three") {
        const auto done =
            test::run_command(test::process_options{test::binary("qctl"), {"completion", "tcsh"}});

        CHECK(done.code == 2);
        CHECK(done.errors.find("expected bash, zsh or fish") != std::string::npos);
    }
}
