#include "system/qctl_bench.hpp"

#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>

using test::contains;
using test::lines_of;
using test::qctl_bench;

namespace {

namespace fs = std::filesystem;

/// So many completed jobs of ids from `first` on in the archive `a`, archived at a time of their
/// own.
void fill(const qctl_bench& bench, int first, int count,
          const std::string& payload = R"({"text": "a,b \"c\"\nd", "n": 12.50})") {
    bench.database.execute("INSERT INTO queue.archive (name) VALUES ('a') ON CONFLICT DO NOTHING");
    bench.database.execute(
        "INSERT INTO queue.archived_job SELECT 'a', $1::bigint + n, now(), now(), now(), "
        "now() - interval '1 day', 5, 1, 4, NULL, 'default', 'k', 'completed', E'odd\\n\"error\"', "
        "$3::jsonb, NULL, NULL, '[]' FROM generate_series(0, $2::int - 1) n",
        {std::to_string(first), std::to_string(count), payload});
}

std::string left(const qctl_bench& bench) {
    return bench.database.query("SELECT count(*) FROM queue.archived_job");
}

/// How often each id stands in the folder's JSONL files, hidden ones too.
std::map<std::int64_t, int> ids_in(const fs::path& folder) {
    std::map<std::int64_t, int> found;
    for (const auto& file : fs::directory_iterator{folder}) {
        std::istringstream lines{test::read_file(file.path())};
        for (std::string line; std::getline(lines, line);) {
            ++found[boost::json::parse(line).at("id").as_int64()];
        }
    }
    return found;
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator{folder}) {
        names.push_back(file.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_SUITE("qctl archive") {
    TEST_CASE("set, keep, list, jobs and prune") {
        const qctl_bench bench;
        CHECK(bench.json({"archive", "set", "k", "a"}).at("result") == "goes to archive a");
        CHECK(bench.json({"archive", "keep", "a", "30d"}).at("result") == "kept for 30d");
        fill(bench, 1, 120);

        const auto list = bench.json({"archive", "list"});
        REQUIRE(list.as_array().size() == 1);
        CHECK(list.at(0).at("name") == "a");
        CHECK(list.at(0).at("jobs") == 120);
        CHECK(list.at(0).at("retention_ms") == 2'592'000'000);
        const auto page =
            bench.run({"archive", "jobs", "a", "--limit", "10", "--after", "5", "-o", "json"});
        const auto jobs = boost::json::parse(page.output).as_array();
        REQUIRE(jobs.size() == 10);
        CHECK(jobs[0].at("id") == 6);
        CHECK(jobs[9].at("id") == 15);
        CHECK(bench.json({"archive", "jobs", "a", "--kind", "other.*"}).as_array().empty());

        CHECK(bench.code({"archive", "prune", "a", "--before", "1h"}) == 2);  // Nobody to ask.
        CHECK(bench.json({"archive", "prune", "a", "--before", "2d", "-y"}).at("deleted") == 0);
        CHECK(bench.json({"archive", "prune", "a", "--before", "1h", "-n"}).at("deleted") == 120);
        CHECK(left(bench) == "120");
        CHECK(bench.json({"archive", "prune", "a", "--before", "1h", "-y"}).at("deleted") == 120);
        CHECK(bench.json({"archive", "set", "k", "--none"}).at("result") == "goes to no archive");
        CHECK(bench.database.query("SELECT count(*) FROM queue.kind WHERE archive IS NOT NULL") ==
              "0");
    }

    TEST_CASE("files are whole, named by their ids, and take from the archive what they hold") {
        const qctl_bench bench;
        fill(bench, 11, 250);
        const auto folder = bench.files.path().string();

        const auto done = bench.json(
            {"archive", "export", "a", "--to", folder, "--rows", "100", "--remove", "-y"});

        CHECK(done.at("written") == 250);
        CHECK(done.at("files") == 3);
        CHECK(done.at("removed") == 250);
        CHECK(left(bench) == "0");
        CHECK(names_in(folder) ==
              std::vector<std::string>{"a.11-110.jsonl", "a.111-210.jsonl", "a.211-260.jsonl"});
        CHECK(ids_in(folder).size() == 250);
        const auto text = test::read_file(bench.files.path() / "a.211-260.jsonl");
        const auto first = boost::json::parse(text.substr(0, text.find('\n')));
        CHECK(first.at("payload").at("text") == "a,b \"c\"\nd");
        CHECK(first.at("last_error") == "odd\n\"error\"");
    }

    TEST_CASE("a second run writes no job twice, and what came between goes to a file of its own") {
        for (const std::string format : {"jsonl", "csv"}) {
            CAPTURE(format);
            const qctl_bench bench;
            const auto folder = bench.files.path().string();
            const qctl_bench::words command{"archive", "export",   "a",   "--to",
                                            folder,    "--format", format};
            fill(bench, 1, 50);
            fill(bench, 100, 50);
            REQUIRE(bench.json(command).at("written") == 100);
            const auto before = test::read_file(bench.files.path() / ("a.1-149." + format));

            const auto again = bench.json(command);
            CHECK(again.at("written") == 0);
            CHECK(again.at("known") == 100);
            CHECK(again.at("files") == 0);
            // One that committed late has an id among those that are there.
            fill(bench, 70, 2);
            CHECK(bench.json(command).at("written") == 2);
            CHECK(names_in(folder) ==
                  std::vector<std::string>{"a.1-149." + format, "a.70-71." + format});
            CHECK(test::read_file(bench.files.path() / ("a.1-149." + format)) == before);

            auto removing = command;
            removing.insert(removing.end(), {"--remove", "-y"});
            const auto removed = bench.json(removing);
            CHECK(removed.at("written") == 0);
            CHECK(removed.at("removed") == 102);
            CHECK(left(bench) == "0");
        }
    }

    TEST_CASE("a row that reads otherwise than the file's is written anew and never just removed") {
        const qctl_bench bench;
        const auto folder = bench.files.path().string();
        fill(bench, 1, 3);
        REQUIRE(bench.json({"archive", "export", "a", "--to", folder}).at("written") == 3);
        bench.database.execute(
            "UPDATE queue.archived_job SET payload = '{\"other\": \"database\"}' WHERE id = 2");

        const auto done = bench.json({"archive", "export", "a", "--to", folder, "--remove", "-y"});

        CHECK(done.at("written") == 1);
        CHECK(done.at("removed") == 3);
        CHECK(contains(test::read_file(bench.files.path() / "a.2-2.jsonl"), "database"));
    }

    TEST_CASE("killed at any moment: no job is in neither place, and the next run ends the work") {
        const qctl_bench bench;
        constexpr int total = 4'000;
        fill(bench, 1, total);
        const auto folder = bench.files.path().string();
        const qctl_bench::words command{"archive", "export", "a",        "--to", folder,
                                        "--rows",  "100",    "--remove", "-y"};
        int cut = 0;
        for (int round = 1; round <= 12 && left(bench) != "0"; ++round) {
            const auto before = std::stoll(left(bench));
            test::process run{bench.command(command)};
            const bool under_way = test::wait_until(
                [&] { return std::stoll(left(bench)) < before - 150 || !run.running(); });
            REQUIRE(under_way);
            run.signal(SIGKILL);
            static_cast<void>(run.wait());
            ++cut;
            auto places = ids_in(folder);
            for (const auto& row :
                 test::connection{bench.database.dsn()}.rows("SELECT id FROM queue.archived_job")) {
                ++places[std::stoll(row.at(0).value())];
            }
            CHECK(places.size() == total);
        }
        CHECK(cut > 3);
        REQUIRE(bench.code(command) == 0);

        CHECK(left(bench) == "0");
        for (const auto& [id, times] : ids_in(folder)) {
            CHECK_MESSAGE(times == 1, id);
        }
        CHECK(ids_in(folder).size() == total);
    }

    TEST_CASE("CSV can be read back, whatever the texts are") {
        const qctl_bench bench;
        fill(bench, 1, 2);
        const auto file = (bench.files.path() / "one.csv").string();

        REQUIRE(
            bench.json({"archive", "export", "a", "--to", file, "--format", "csv"}).at("written") ==
            2);

        const auto text = test::read_file(file);
        CHECK(text.starts_with("id,created_at,tenant_id,queue,kind,state,"));
        CHECK(contains(text, R"(,"{""n"": 12.50, ""text"": ""a,b \""c\""\nd""}",)"));
        CHECK(contains(text, "\"odd\n\"\"error\"\"\""));
        const auto taken =
            bench.json({"archive", "export", "a", "--to", (bench.files.path() / "two.csv").string(),
                        "--format", "csv", "--remove", "-y"});
        CHECK(taken.at("removed") == 2);
    }

    TEST_CASE("a full disk, a target that cannot be: an error that says so, and nothing removed") {
        const qctl_bench bench;
        fill(bench, 1, 500);
        const auto folder = bench.files.path().string();
        const auto words_to = [](const std::string& to) {
            return qctl_bench::words{"archive", "export", "a", "--to", to, "--remove", "-y"};
        };
        const auto nowhere = bench.error(words_to("/no/such/folder/"));
        CHECK(nowhere.first == 2);
        CHECK(contains(std::string{nowhere.second.at("message").as_string()},
                       "--to: expected a folder that exists"));
        const auto there = bench.error(words_to("/dev/full"));
        CHECK(there.first == 5);
        CHECK(bench.error(words_to("/proc")).first == 1);

        // A file may not grow above 64 KiB: what a full disk looks like from here.
        auto limited = bench.command(words_to(folder));
        std::string line{"trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""};
        limited.args.insert(limited.args.begin(), {"-c", line, limited.program});
        limited.program = "/bin/sh";
        const auto full = test::run_command(limited);
        CHECK(full.code == 1);
        CHECK(contains(full.errors, "cannot write"));
        CHECK(contains(full.errors, "File too large"));
        CHECK(left(bench) == "500");
        CHECK(names_in(folder).empty());

        CHECK(bench.error({"archive", "export", "a"}).first == 2);
        CHECK(bench.error({"archive", "export", "a", "--to", folder, "--format", "xml"}).first ==
              2);
        CHECK(bench.error({"archive", "export", "b", "--to", folder}).first == 3);
        CHECK(bench.error({"archive", "jobs", "b"}).first == 3);
        CHECK(bench.error({"archive", "keep", "b", "1d"}).first == 3);
        CHECK(bench.error({"archive", "prune", "b", "--before", "1d", "-y"}).first == 3);
        CHECK(bench.error({"archive", "prune", "a", "-y"}).first == 2);
        CHECK(bench.error({"archive", "set", "k", "Not/A/Name"}).first == 2);
        CHECK(bench.error({"archive", "set", "k"}).first == 2);
        CHECK(bench.error({"archive", "set", "k", "a", "--none"}).first == 2);
        CHECK(bench.error({"archive", "export", "a", "--to", folder, "--remove"}).first == 2);
        CHECK(left(bench) == "500");
    }
}

TEST_SUITE("qctl erase") {
    TEST_CASE("erases what a subject has, after it was asked for") {
        const qctl_bench bench;
        const auto id = bench.enqueue({R"({"mail":"ann@example.org"})"});
        bench.database.execute("SELECT queue.note_subject('ann', NULL, ARRAY[$1]::bigint[])",
                               {std::to_string(id)});

        CHECK(bench.code({"erase", "ann"}) == 2);  // Nobody to ask.
        const auto planned = bench.json({"erase", "ann", "-n"});
        CHECK(planned.at("jobs") == 1);
        CHECK(planned.at("cancelled") == 1);
        CHECK(bench.state(id) == "ready");
        const auto done = bench.json({"erase", "ann", "-y", "--reason", "by mail"});
        CHECK(done.at("jobs") == 1);
        CHECK(done.at("id") == 1);
        CHECK(bench.state(id) == "cancelled");
        CHECK(bench.database.query("SELECT payload FROM queue.job") == R"({"erased": true})");
        CHECK(bench.database.query("SELECT reason FROM queue.erasures") == "by mail");

        const auto nothing = bench.run({"erase", "bob", "-y"});
        CHECK(nothing.code == 0);
        CHECK(contains(nothing.errors, "--tenant"));
        CHECK(bench.error({"erase", std::string(513, 'x'), "-y"}).first == 2);
        CHECK(bench.error({"erase", "ann", "-y", "--tenant", "nobody"}).first == 2);
    }
}
