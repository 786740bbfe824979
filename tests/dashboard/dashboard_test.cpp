#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/access.hpp>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Runs when it becomes part of a page as markup; also as an attribute's and as a script's end.
const std::string markup{R"(</script>"'><img src=x onerror="window.attacked=1">{{7*7}})"};

class bench {
   public:
    bench() {
        seed();
        const auto config = folder_.write(
            "workerd.yaml",
            "database: {dsn: \"" + db_.dsn() +
                "\"}\nqueues: {default: {concurrency: 4}}\nprocessors: {debug: true}\n"
                "limits: {stripe: {burst: 25, rate: 5/s}}\nhttp: {listen: \"127.0.0.1:0\"}\n");
        workerd_ = std::make_unique<test::process>(
            test::process_options{test::binary("workerd"), {"--config", config.string()}});
        REQUIRE_MESSAGE(workerd_->wait_for_text("worker_ready", 30s), workerd_->errors());
        REQUIRE(test::wait_until(
            [&] { return db_.query("SELECT count(*) FROM queue.dead_letter") == "4"; }, 20s));
        // What failed says so in words of a stranger.
        db_.execute("UPDATE queue.dead_letter SET error = $1", {markup});
        db_.execute("UPDATE queue.attempt SET error = $1 WHERE error IS NOT NULL", {markup});
    }

    [[nodiscard]] const test::test_database& db() const { return db_; }

    [[nodiscard]] std::string token(libqueue::role role) const {
        libqueue::client client{libqueue::client_options{db_.dsn()}};
        libqueue::token_options wanted;
        wanted.role = role;
        wanted.name = std::string{libqueue::to_string(role)};
        return libqueue::access_control{client}.create_token(wanted).value().text;
    }

    [[nodiscard]] std::string url() const {
        std::istringstream input{workerd_->errors()};
        for (std::string line; std::getline(input, line);) {
            boost::system::error_code error;
            const auto parsed = boost::json::parse(line, error);
            if (!error && parsed.at("event") == "http_listening")
                return "http://" + std::string{parsed.at("address").as_string()} + "/";
        }
        return {};
    }

    [[nodiscard]] std::string id_of(const std::string& tag) const {
        return db_.query("SELECT min(id) FROM queue.jobs WHERE meta -> 'tags' ? $1", {tag});
    }

   private:
    void seed() {
        for (const char* queue : {"default", "mail", "idle"})
            db_.execute("SELECT queue.create_queue($1)", {queue});
        const auto enqueue = [&](const std::string& kind, const std::string& payload,
                                 const std::string& more) {
            db_.execute("SELECT queue.enqueue($1, $2::jsonb, max_attempts => 1, " + more + ")",
                        {kind, payload});
        };
        const std::string fails = R"({"class": "discard"})";
        for (const char* tag : {"dead-retry", "dead-replay", "dead-bulk", "dead-bulk"})
            enqueue("debug.fail", fails, "tags => ARRAY['" + std::string{tag} + "']");
        enqueue("debug.echo", R"({"n": 12345678901234567890})", "tags => ARRAY['done']");
        const std::string text = boost::json::serialize(boost::json::value(markup));
        for (int i = 0; i < 40; ++i)
            db_.execute(
                "SELECT queue.enqueue('email.send', $1::jsonb, queue => 'mail', "
                "tags => ARRAY[$2, 'waits'])",
                {R"({"big": 12345678901234567890, "text": )" + text + "}", markup});
        enqueue("email.send", "{}",
                "queue => 'mail', delay => '1 day', tags => ARRAY['cancel-me']");
        db_.execute("SELECT queue.pause('idle', $1)", {markup});
        db_.execute(
            "SELECT queue.schedule('nightly', '0 3 * * *', 'debug.echo', $1::jsonb, "
            "'Europe/Berlin', 'collapse', 'allow')",
            {R"({"text": )" + text + "}"});
        const auto batch = db_.query("SELECT queue.create_batch($1)", {markup});
        enqueue("email.send", "{}", "queue => 'mail', batch_id => " + batch);
    }

    test::test_database db_;
    test::temp_dir folder_;
    std::unique_ptr<test::process> workerd_;
};

std::string modules_folder() {
    const auto script = test::source_dir() / "scripts" / "install-node-modules";
    const auto installed =
        test::run_command(test::process_options{script.string(), {"browser"}}, 200s);
    REQUIRE_MESSAGE(installed.code == 0, installed.errors);
    return installed.output.substr(0, installed.output.find('\n'));
}

}  // namespace

TEST_SUITE("dashboard") {
    TEST_CASE("dashboard: an operator walks through it in a browser, and what is done is done") {
        const bench rig;
        boost::json::object options;
        options["modules"] = modules_folder();
        options["url"] = rig.url();
        options["admin"] = rig.token(libqueue::role::admin);
        options["viewer"] = rig.token(libqueue::role::viewer);
        boost::json::object jobs;
        for (const char* tag :
             {"dead-retry", "dead-replay", "dead-bulk", "done", "waits", "cancel-me"})
            jobs[tag] = rig.id_of(tag);
        const auto batch = rig.db().query("SELECT max(id) FROM queue.batches");
        options["batch"] = batch;
        const std::string retry_id{jobs["dead-retry"].as_string()};
        const std::string replay_id{jobs["dead-replay"].as_string()};
        const std::string cancel_id{jobs["cancel-me"].as_string()};
        options["jobs"] = std::move(jobs);
        const auto shots = test::binary("workerd").parent_path() / "dashboard_screenshots";
        std::filesystem::create_directories(shots);
        options["shots"] = shots.string();
        const auto walk = test::source_dir() / "tests" / "dashboard" / "walk" / "main.js";

        const auto walked = test::run_command(
            test::process_options{"node", {walk.string(), boost::json::serialize(options)}}, 240s);

        CHECK_MESSAGE(walked.code == 0, walked.output, walked.errors);
        MESSAGE(walked.output);
        const auto outcomes = [&](const std::string& id) {
            return rig.db().query(
                "SELECT count(*) FROM queue.attempt WHERE job_id = $1::bigint "
                "AND outcome = 'replayed'",
                {id});
        };
        CHECK(outcomes(retry_id) == "1");
        CHECK(outcomes(replay_id) == "1");
        CHECK(rig.db().query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {cancel_id}) ==
              "cancelled");
        CHECK(rig.db().query("SELECT pause_reason FROM queue.queue_stats WHERE queue = 'mail'") ==
              "seen in a browser");
        CHECK(rig.db().query("SELECT string_agg(action || ' ' || state, ',') "
                             "FROM queue.operations") == "replay cancelled");
        CHECK(rig.db().query("SELECT count(*) FROM queue.jobs WHERE kind = 'debug.noop'") == "1");
    }
}
