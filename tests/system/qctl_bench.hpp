#pragma once

#include "integration/api/stand_in_worker.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// The real qctl against a database of its own, and a stand-in for the workers, so that a job can
/// be in any state.
class qctl_bench {
   public:
    using words = std::vector<std::string>;

    /// qctl is told of the database by QCTL_DB and of nothing else: no terminal, no colour wishes.
    [[nodiscard]] process_options command(words args, std::string input = {}) const {
        process_options options{binary("qctl"), std::move(args)};
        options.stdin_text = std::move(input);
        for (const auto* const name : {"DATABASE_URL", "QCTL_MIGRATE_DB", "NO_COLOR",
                                       "CLICOLOR_FORCE", "PGHOST", "PGUSER", "PGDATABASE"}) {
            options.env.emplace_back(name, "");
        }
        options.env.emplace_back("QCTL_DB", database.dsn());
        options.env.emplace_back("TERM", "xterm");
        return options;
    }

    [[nodiscard]] command_result run(words args, std::string input = {}) const {
        return run_command(command(std::move(args), std::move(input)));
    }

    /// Runs with -o json, demands success and silence on stderr, and reads the answer.
    [[nodiscard]] boost::json::value json(words args, std::string input = {}) const {
        args.insert(args.end(), {"-o", "json"});
        const auto done = run(std::move(args), std::move(input));
        CHECK_MESSAGE(done.code == 0, done.errors);
        CHECK(done.errors.empty());
        return boost::json::parse(done.output);
    }

    /// Runs with -o json, demands failure, and gives (exit code, error object).
    [[nodiscard]] std::pair<int, boost::json::object> error(words args,
                                                            std::string input = {}) const {
        args.insert(args.end(), {"-o", "json"});
        const auto done = run(std::move(args), std::move(input));
        const auto last = done.errors.substr(done.errors.find("{\"error\""));
        return {done.code, boost::json::parse(last).at("error").as_object()};
    }

    [[nodiscard]] int code(words args) const { return run(std::move(args)).code; }

    [[nodiscard]] std::int64_t enqueue(words more = {}) const {
        more.insert(more.begin(), {"enqueue", "a.b"});
        const auto done = run(std::move(more));
        REQUIRE_MESSAGE(done.code == 0, done.errors);
        return std::stoll(done.output);
    }

    /// A job that used up its attempts.
    [[nodiscard]] std::int64_t bury(const std::string& error, words more = {}) {
        const auto id = enqueue(std::move(more));
        worker.kill(id, error);
        return id;
    }

    [[nodiscard]] std::string state(std::int64_t id) const {
        return database.query("SELECT state FROM queue.jobs WHERE id = $1", {std::to_string(id)});
    }

    [[nodiscard]] std::int64_t jobs() const {
        return std::stoll(database.query("SELECT count(*) FROM queue.job"));
    }

    test_database database;
    stand_in_worker worker{database};
    temp_dir files;
};

[[nodiscard]] inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

[[nodiscard]] inline std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace test
