#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "system/api_rig.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// qctl on the database and over the API of a real workerd on it.
class two_ways {
   public:
    explicit two_ways(const std::string& more_config = {}) : rig{more_config} {
        put_token("admin", rig.token(libqueue::role::admin));
        put_token("viewer", rig.token(libqueue::role::viewer));
        put_token("stranger", "lq_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    }

    [[nodiscard]] command_result direct(std::vector<std::string> args,
                                        const std::string& input = {}) const {
        return run(std::move(args), {{"QCTL_DB", rig.db().dsn()}}, input);
    }

    [[nodiscard]] command_result served(std::vector<std::string> args,
                                        const std::string& who = "admin",
                                        const std::string& input = {}) const {
        return run(std::move(args),
                   {{"QCTL_SERVER", "http://" + rig.address()}, {"QCTL_TOKEN_FILE", token(who)}},
                   input);
    }

    [[nodiscard]] std::string token(const std::string& who) const {
        return (files.path() / who).string();
    }

    /// Both must say the same, but for what has changed between two looks.
    void check_same(const std::vector<std::string>& args) const {
        CAPTURE(args);
        const auto one = direct(args);
        const auto other = served(args);
        CHECK(one.code == other.code);
        CHECK_MESSAGE(one.output == other.output, other.errors);
    }

    [[nodiscard]] std::string enqueue(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"enqueue", "nobody.runs"});
        const auto done = served(more);
        REQUIRE_MESSAGE(done.code == 0, done.errors);
        return done.output.substr(0, done.output.find('\n'));
    }

    api_rig rig;
    temp_dir files;

   private:
    void put_token(const std::string& who, const std::string& text) const {
        const auto path = files.write(who, text + "\n");
        std::filesystem::permissions(
            path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }

    [[nodiscard]] command_result run(std::vector<std::string> args,
                                     std::vector<std::pair<std::string, std::string>> more,
                                     const std::string& input) const {
        process_options options{binary("qctl"), std::move(args)};
        options.stdin_text = input;
        options.env = std::move(more);
        options.env.emplace_back("QCTL_CONFIG", (files.path() / "config.yaml").string());
        const auto ours = options.env;
        for (const auto* const name :
             {"QCTL_DB", "QCTL_SERVER", "QCTL_TOKEN_FILE", "DATABASE_URL", "QCTL_MIGRATE_DB",
              "NO_COLOR", "CLICOLOR_FORCE", "PGHOST", "PGUSER", "PGDATABASE"}) {
            if (std::ranges::find(ours, name, &std::pair<std::string, std::string>::first) ==
                ours.end()) {
                options.env.emplace_back(name, "");
            }
        }
        return run_command(options);
    }
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// `code` of what -o json says on stderr.
inline std::string error_code(const command_result& of) {
    const auto at = of.errors.find("{\"error\"");
    return at == std::string::npos
               ? of.errors
               : std::string{
                     boost::json::parse(of.errors.substr(at)).at("error").at("code").as_string()};
}

}  // namespace test
