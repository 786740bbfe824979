#include "rig.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <libqueue/effect.hpp>
#include <libqueue/encryption.hpp>
#include <libqueue/key_upkeep.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/transaction.hpp>

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace engine_test;
using libqueue::errc;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::job_id;
using libqueue::keyring;
using libqueue::new_job;
using libqueue::outcome;

namespace {

namespace fs = std::filesystem;

const std::string tenant_a{"aaaaaaaa-0000-4000-8000-000000000001"};
const std::string tenant_b{"bbbbbbbb-0000-4000-8000-000000000002"};
const std::string kind{"card.charge"};

/// A database, keys, a client that seals `card.charge`, and a handler that keeps what it saw.
class vault {
   public:
    explicit vault(bool per_tenant = false) {
        REQUIRE(::chmod(folder.path().c_str(), 0700) == 0);
        REQUIRE(libqueue::create_key(folder.path(), "k1").has_value());
        libqueue::keyring_options where{folder.path()};
        where.per_tenant = per_tenant;
        keys = keyring::load(where).value();
    }
    [[nodiscard]] libqueue::client client() const {
        libqueue::client_options options{in.db.dsn()};
        options.keyring = keys;
        options.encrypted_kinds = {kind};
        return libqueue::client{options};
    }
    [[nodiscard]] libqueue::registration handler(libqueue::blocking_handler how = {}) {
        auto made = blocking(kind, [this, how](job_context& run) {
            {
                const std::lock_guard lock{mutex};
                seen[run.job().id].push_back(run.payload());
            }
            return how ? how(run) : libqueue::completed("{\"said\":" + run.payload() + "}");
        });
        made.options.encrypted = true;
        made.options.retry.base = 1ms;
        made.options.retry.cap = 1ms;
        return made;
    }
    [[nodiscard]] libqueue::worker_options options() {
        auto made = in.options();
        made.keyring = keys;
        return made;
    }
    [[nodiscard]] auto start(libqueue::blocking_handler how = {}) {
        return in.start({handler(std::move(how))}, options());
    }
    /// The kind as its workers publish it.
    void publish() {
        auto worker = start();
        REQUIRE(in.seen.wait_for(event_type::worker_ready));
        worker->stop();
        in.seen.clear();
    }
    [[nodiscard]] std::vector<std::string> saw(job_id id) {
        const std::lock_guard lock{mutex};
        return seen[id];
    }
    void rotate(const std::string& id) const {
        REQUIRE(libqueue::create_key(folder.path(), id).has_value());
        REQUIRE(libqueue::activate_key(folder.path(), id).has_value());
        REQUIRE(keys->reload().has_value());
    }
    /// Everything the database would give away.
    [[nodiscard]] std::string dump() const {
        const auto text = test::run_command(
            test::process_options{(test::pg_bin_dir() / "pg_dump").string(), {"-d", in.db.dsn()}});
        REQUIRE(text.code == 0);
        return text.output;
    }

    rig in;
    test::temp_dir folder;
    std::shared_ptr<keyring> keys;
    std::mutex mutex;
    std::map<job_id, std::vector<std::string>> seen;
};

new_job charge(std::string payload) {
    return new_job{kind, std::move(payload)};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string text_of(const libqueue::report& rows) {
    std::string all;
    for (const auto& row : rows.rows) {
        for (const auto& value : row) {
            all += value.value_or("-") + " ";
        }
    }
    return all;
}

}  // namespace

TEST_SUITE_BEGIN("encryption");

TEST_CASE("encryption: the handler sees the text as it was given, the client the output") {
    vault v;
    auto worker = v.start();
    auto client = v.client();
    const std::string text{R"({"pan" :  "4111", "n": 1.50})"};

    const auto id = client.enqueue(charge(text).for_tenant(tenant_a)).value().id;

    REQUIRE(v.in.wait_state(id, "completed"));
    CHECK(v.saw(id) == std::vector<std::string>{text});
    const auto seen = client.get(id).value();
    CHECK(seen.payload == text);
    CHECK(seen.output == "{\"said\":" + text + "}");
    libqueue::client blind{libqueue::client_options{v.in.db.dsn()}};
    CHECK(libqueue::sealed_key_id(blind.get(id).value().payload) == "k1");
    CHECK(libqueue::sealed_key_id(blind.get(id).value().output.value()) == "k1");
}

TEST_CASE("encryption: many at once are sealed each for its own job, other kinds as they are") {
    vault v;
    auto client = v.client();
    std::vector<new_job> jobs;
    for (int i = 0; i < 250; ++i) {
        jobs.push_back(charge("{\"n\":" + std::to_string(i) + "}"));
        if (i % 50 == 0) {
            jobs.emplace_back("plain", "{\"plain\": true}");
        }
    }

    const auto ids = client.enqueue_many(jobs).value();

    auto worker = v.in.start({v.handler(), noop("plain")}, v.options());
    REQUIRE(v.in.wait_finished(255));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].kind == kind) {
            CHECK(v.saw(ids[i]) == std::vector<std::string>{jobs[i].payload});
        }
    }
    CHECK(v.in.db.query("SELECT count(*) FROM queue.job WHERE payload = '{\"plain\": true}'") ==
          "5");
    CHECK(v.in.faults().empty());
}

TEST_CASE("encryption: no dump holds a word of payloads, outputs, dead letters or keyed jobs") {
    vault v;
    auto client = v.client();
    auto worker = v.start([](job_context& run) {
        if (contains(run.payload(), "dies")) {
            return libqueue::discard("it would not work");
        }
        return contains(run.payload(), "again") && run.job().attempt == 1
                   ? libqueue::retry("once more")
                   : libqueue::completed(R"({"canary":"canary-output-7291"})");
    });
    std::vector<job_id> ids;
    for (const char* what : {"works", "dies", "again"}) {
        auto job =
            charge(R"({"canary":"canary-payload-7291","what":")" + std::string{what} + "\"}");
        job.unique_key(std::string{"key-"} + what);
        ids.push_back(client.enqueue(job).value().id);
    }
    REQUIRE(v.in.wait_state(ids[0], "completed"));
    REQUIRE(v.in.wait_state(ids[1], "dead"));
    REQUIRE(v.in.wait_state(ids[2], "completed"));

    const std::string dump = v.dump();

    CHECK_FALSE(contains(dump, "canary"));
    CHECK(contains(dump, "key-works"));  // it is a dump of these jobs
    CHECK(contains(dump, "it would not work"));
    CHECK_FALSE(contains(dump, test::read_file(v.folder.path() / "k1.key").substr(0, 43)));
    CHECK(client.get(ids[0]).value().output == R"({"canary":"canary-output-7291"})");
}

TEST_CASE("encryption: checkpoints and results of effects are sealed and opened again") {
    vault at;
    std::vector<std::string> found;
    auto worker = at.start([&](job_context& run) -> outcome {
        const auto before = run.last_checkpoint_blocking();
        auto effect = run.begin_effect_blocking("charge").value();
        if (!before) {
            REQUIRE(run.checkpoint_blocking("{\"at\":\"CANARY-checkpoint\"}").has_value());
            REQUIRE(effect.commit_blocking("{\"ref\":\"CANARY-effect\"}").has_value());
            return libqueue::retry("once more");
        }
        found = {*before, effect.output().value_or("nothing")};
        CHECK(effect.state() == libqueue::effect_state::committed);
        return libqueue::completed();
    });
    auto client = at.client();
    const auto id = client.enqueue(charge("{\"card\":\"CANARY-payload\"}")).value().id;
    REQUIRE(client.wait(id, 30s).value().state == libqueue::job_state::completed);
    worker->stop();

    CHECK(found == std::vector<std::string>{"{\"at\":\"CANARY-checkpoint\"}",
                                            "{\"ref\":\"CANARY-effect\"}"});
    CHECK(at.dump().find("CANARY") == std::string::npos);
}

TEST_CASE("encryption: the database refuses plaintext of an encrypted kind from anybody") {
    vault v;
    v.publish();
    libqueue::client blind{libqueue::client_options{v.in.db.dsn()}};

    const auto refused = blind.enqueue(charge("{\"pan\":\"4111\"}"));

    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::invalid_payload);
    CHECK(contains(refused.error().hint, "encrypted_kinds"));
    CHECK_FALSE(contains(refused.error().message, "4111"));
    for (const char* sql : {"SELECT queue.enqueue('card.charge', '{}')",
                            "SELECT queue.enqueue('card.charge', '[\"libqueue.sealed\"]')",
                            "SELECT queue.enqueue('card.charge', '{\"libqueue.sealed\": 1}')",
                            "SELECT queue.enqueue('card.charge', '{}', idempotency_key => 'k')",
                            "SELECT queue.enqueue_many('card.charge', ARRAY['{}'::jsonb])"}) {
        CAPTURE(sql);
        CHECK_THROWS_WITH(v.in.db.execute(sql), doctest::Contains("producer has sealed"));
    }
    v.in.db.execute("SELECT queue.set_encrypted('card.charge', false)");
    CHECK(blind.enqueue(charge("{}")).has_value());
}

TEST_CASE("encryption: a worker of an older configuration does not open the door again") {
    vault v;
    v.publish();
    auto older = v.in.start({noop(kind)}, v.in.options());
    REQUIRE(v.in.seen.wait_for(event_type::worker_ready));
    older->stop();

    CHECK(v.in.db.query("SELECT encrypted FROM queue.kind WHERE name = 'card.charge'") == "t");
}

TEST_CASE("encryption: a payload moved to another job, tenant or kind does not run") {
    vault v;
    auto client = v.client();
    const auto id = [&](new_job job) {
        return client.enqueue(job).value().id;
    };
    const auto first = id(charge("{\"n\":1}").for_tenant(tenant_a));
    const auto other_job = id(charge("{\"n\":2}").for_tenant(tenant_a));
    const auto other_tenant = id(charge("{\"n\":3}").for_tenant(tenant_a));
    const auto changed = id(charge("{\"n\":4}").for_tenant(tenant_a));
    const auto kept = id(charge("{\"n\":5}").for_tenant(tenant_a));
    const auto text = [](job_id job) {
        return std::to_string(job);
    };
    v.in.db.execute(
        "UPDATE queue.job SET payload = (SELECT j.payload FROM queue.job j "
        "WHERE j.id = $1) WHERE id = $2",
        {text(first), text(other_job)});
    v.in.db.execute("UPDATE queue.job SET tenant_id = $1 WHERE id = $2",
                    {tenant_b, text(other_tenant)});
    v.in.db.execute(
        "UPDATE queue.job SET payload = jsonb_set(payload, '{data}', to_jsonb("
        "'AAAA' || substr(payload ->> 'data', 5))) WHERE id = $1",
        {text(changed)});
    v.in.db.execute("UPDATE queue.line SET kind = 'card.refund' WHERE kind = 'card.charge'");
    auto refund = v.handler();
    refund.kind = "card.refund";

    auto worker = v.in.start({v.handler(), std::move(refund)}, v.options());

    for (const job_id job : {first, other_job, other_tenant, changed, kept}) {
        REQUIRE(v.in.wait_state(job, "dead"));
        CHECK(v.saw(job).empty());
    }
    CHECK(contains(v.in.db.query("SELECT string_agg(reason, ' ') FROM queue.dead_letter"),
                   "cannot be opened"));
    worker->stop();

    // Back under its own kind the untouched one runs, the others do not.
    v.in.db.execute("UPDATE queue.line SET kind = 'card.charge' WHERE kind = 'card.refund'");
    v.in.db.execute("SELECT queue.replay(ARRAY(SELECT job_id FROM queue.dead_letter))");
    worker = v.start();
    REQUIRE(v.in.wait_state(kept, "completed"));
    REQUIRE(v.in.wait_state(first, "completed"));
    for (const job_id job : {other_job, other_tenant, changed}) {
        REQUIRE(v.in.wait_state(job, "dead"));
        CHECK(v.saw(job).empty());
    }
}

TEST_CASE("encryption: a job without its key waits, uses up no attempt and runs when it comes") {
    vault v;
    auto client = v.client();
    const auto id = client.enqueue(charge("{\"n\":1}").attempts(1)).value().id;
    const auto file = v.folder.path() / "k1.key";
    REQUIRE(libqueue::create_key(v.folder.path(), "k2").has_value());
    REQUIRE(libqueue::activate_key(v.folder.path(), "k2").has_value());
    fs::rename(file, v.folder.path() / "aside");
    REQUIRE(v.keys->reload().has_value());
    auto worker = v.start();

    REQUIRE(v.in.seen.wait_for(event_type::key_missing, [&](const test::recorded_event& e) {
        return e.job->id == id && contains(e.message, "k1");
    }));
    REQUIRE(v.in.wait_state(id, "scheduled"));
    CHECK(v.in.outcomes(id) == "snoozed");
    CHECK(v.saw(id).empty());

    fs::rename(v.folder.path() / "aside", file);
    REQUIRE(v.keys->reload().has_value());
    REQUIRE(client.retry(id).has_value());
    REQUIRE(v.in.wait_state(id, "completed"));
    CHECK(v.saw(id) == std::vector<std::string>{"{\"n\":1}"});
}

TEST_CASE("encryption: what stood in line unsealed waits until it is sealed") {
    vault v;
    const auto id = v.in.enqueue(kind, R"({"n": 1})");
    auto worker = v.start();
    REQUIRE(v.in.seen.wait_for(event_type::key_missing));
    REQUIRE(v.in.wait_state(id, "scheduled"));
    CHECK(v.saw(id).empty());
    auto client = v.client();
    libqueue::key_upkeep upkeep{client};
    CHECK(text_of(upkeep.usage()) == "- job 1 ");

    CHECK(upkeep.reseal(*v.keys).value().sealed == 1);

    CHECK(text_of(upkeep.usage()) == "k1 job 1 ");
    REQUIRE(client.retry(id).has_value());
    REQUIRE(v.in.wait_state(id, "completed"));
    CHECK(v.saw(id) == std::vector<std::string>{R"({"n": 1})"});
}

TEST_CASE("encryption: sealed jobs run on a worker whose kind is not encrypted any more") {
    vault v;
    auto client = v.client();
    const auto id = client.enqueue(charge("{\"n\":1}")).value().id;
    auto plain = v.handler();
    plain.options.encrypted = false;

    auto worker = v.in.start({std::move(plain)}, v.options());

    REQUIRE(v.in.wait_state(id, "completed"));
    CHECK(v.saw(id) == std::vector<std::string>{"{\"n\":1}"});
    CHECK(v.in.db.query("SELECT output ->> 'kid' FROM queue.attempt") == "k1");
}

TEST_CASE("encryption: payloads of other kinds that look alike are nobody's business") {
    vault v;
    const std::string look_alike{R"({"alg": "A256GCM", "kid": "k1", "data": "AA"})"};
    std::string seen;
    auto worker = v.in.start({blocking("plain", [&](job_context& run) {
        seen = run.payload();
        return libqueue::completed(run.payload());
    })});

    const auto id = v.in.enqueue("plain", look_alike);

    REQUIRE(v.in.wait_state(id, "completed"));
    CHECK(seen == look_alike);
    CHECK(v.in.db.query("SELECT output FROM queue.attempt") == look_alike);
}

TEST_CASE("encryption: the same key and text is a duplicate, before and after a rotation") {
    vault v;
    auto client = v.client();
    const auto keyed = [&](const std::string& payload) {
        return client.enqueue(charge(payload).unique_key("order-7"));
    };
    const auto first = keyed("{\"a\": [1, 2]}").value();
    auto worker = v.start();
    REQUIRE(v.in.wait_state(first.id, "completed"));

    const auto again = keyed("{\"a\":[1,2]}").value();
    CHECK(again.duplicate);
    CHECK(again.id == first.id);
    CHECK(again.output == "{\"said\":{\"a\": [1, 2]}}");
    CHECK(keyed("{\"a\":[1,3]}").error().code == errc::idempotency_conflict);
    v.rotate("k2");
    CHECK(keyed("{\"a\": [1, 2]}").value().id == first.id);
    CHECK(keyed("{\"a\":[1,3]}").error().code == errc::idempotency_conflict);
}

TEST_CASE("encryption: without a hash key the idempotency key alone decides") {
    vault v;
    fs::remove(v.folder.path() / "hash.key");
    REQUIRE(v.keys->reload().has_value());
    auto client = v.client();

    const auto first = client.enqueue(charge("{\"a\":1}").unique_key("k")).value();
    const auto again = client.enqueue(charge("{\"a\":2}").unique_key("k")).value();

    CHECK(again.duplicate);
    CHECK(again.id == first.id);
    CHECK(v.in.db.query("SELECT payload ? 'hash' FROM queue.job") == "f");
}

TEST_CASE("encryption: in the caller's own transaction a job is sealed for an id drawn there") {
    vault v;
    PGconn* raw = PQconnectdb(v.in.db.dsn().c_str());
    REQUIRE(PQstatus(raw) == CONNECTION_OK);
    PQclear(PQexec(raw, "BEGIN"));

    const auto job = libqueue::seal_job(raw, *v.keys, charge("{\"n\":1}")).value();
    const auto made = libqueue::enqueue(raw, job).value();
    PQclear(PQexec(raw, "COMMIT"));
    PQfinish(raw);

    CHECK(made.id == job.id);
    auto worker = v.start();
    REQUIRE(v.in.wait_state(made.id, "completed"));
    CHECK(v.saw(made.id) == std::vector<std::string>{"{\"n\":1}"});
}

TEST_CASE("encryption: a sealed dead letter is replayed as it is and not as a new job") {
    vault v;
    auto client = v.client();
    const auto id = client.enqueue(charge("{\"n\":1}").attempts(1)).value().id;
    {
        auto worker = v.start([](job_context&) { return libqueue::discard("no"); });
        REQUIRE(v.in.wait_state(id, "dead"));
    }
    const auto letter = "ARRAY[" + std::to_string(id) + "]::bigint[]";
    v.in.db.execute("SELECT queue.create_queue('other')");
    for (const std::string& sql : {"SELECT queue.replay(" + letter + ", payload => '{}')",
                                   "SELECT queue.replay(" + letter + ", queue => 'other')"}) {
        CHECK_THROWS_WITH(v.in.db.execute(sql), doctest::Contains("sealed for this job"));
    }

    v.in.db.execute("SELECT queue.replay(" + letter + ")");

    auto worker = v.start();
    REQUIRE(v.in.wait_state(id, "completed"));
}

TEST_CASE("encryption: with keys a dead letter is replayed edited or elsewhere, sealed anew") {
    vault v;
    auto client = v.client();
    const auto first = client.enqueue(charge("{\"n\":1}").for_tenant(tenant_a)).value().id;
    const auto second = client.enqueue(charge("{\"n\":2}")).value().id;
    const auto plain = client.enqueue(new_job{"plain", "{\"n\":3}"}).value().id;
    const auto fails = [](job_context&) {
        return libqueue::discard("no");
    };
    {
        auto worker = v.in.start({v.handler(fails), blocking("plain", fails)}, v.options());
        for (const auto id : {first, second, plain}) {
            REQUIRE(v.in.wait_state(id, "dead"));
        }
    }
    v.in.db.execute("SELECT queue.create_queue('other')");
    libqueue::operations operations{client};
    libqueue::dead_letter_filter which;
    libqueue::replay_options edited;
    edited.payload = "{\"corrected\": true}";
    libqueue::replay_options moved;
    moved.to_queue = "other";
    which.ids = {first};

    CHECK(operations.replay(which, edited).value() == 1);
    which.ids = {second, plain};
    CHECK(operations.replay(which, moved).value() == 2);

    CHECK(v.in.db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    auto options = v.options();
    options.queues.emplace_back("other", 10);
    auto worker = v.in.start({v.handler(), noop("plain")}, options);
    const auto child = [&](job_id of) {
        return std::stoll(v.in.db.query("SELECT id FROM queue.job WHERE meta ->> 'replay_of' = $1",
                                        {std::to_string(of)}));
    };
    REQUIRE(v.in.wait_state(child(first), "completed"));
    REQUIRE(v.in.wait_state(child(second), "completed"));
    REQUIRE(v.in.wait_state(child(plain), "completed"));
    CHECK(v.saw(child(first)) == std::vector<std::string>{"{\"corrected\": true}"});
    CHECK(v.saw(child(second)) == std::vector<std::string>{"{\"n\":2}"});
    CHECK(client.get(child(second)).value().queue == "other");
    CHECK_FALSE(contains(v.dump(), "corrected"));
}

TEST_CASE("encryption: keys rotate while workers run; afterwards nothing needs the old one") {
    constexpr int jobs = 2'000;
    vault v;
    auto client = v.client();
    const auto by_id = [](job_context& run) {
        return run.job().id % 100 == 0 ? libqueue::discard("as planned")
                                       : libqueue::completed("[1]");
    };
    auto first = v.start(by_id);
    auto second = v.start(by_id);
    std::thread producer{[&] {
        auto by = v.client();
        for (int i = 0; i < jobs; i += 50) {
            std::vector<new_job> some;
            for (int n = i; n < i + 50; ++n) {
                some.push_back(charge("{\"n\":" + std::to_string(n) + "}"));
            }
            static_cast<void>(by.enqueue_many(some).value());
        }
    }};
    libqueue::key_upkeep upkeep{client};

    for (int round = 2; round <= 4; ++round) {
        v.rotate("k" + std::to_string(round));
        static_cast<void>(upkeep.reseal(*v.keys).value());
    }
    producer.join();
    REQUIRE(v.in.wait_finished(jobs, 60s));
    const auto last = upkeep.reseal(*v.keys).value();

    CHECK(last.unreadable == 0);
    CHECK(v.in.faults().empty());
    CHECK(v.in.db.query("SELECT count(*) FROM queue.key_usage() WHERE key_id IS DISTINCT FROM "
                        "'k4'") == "0");
    CHECK(v.in.db.query("SELECT count(DISTINCT job_id) FROM queue.attempt WHERE outcome IN "
                        "('completed', 'discarded')") == std::to_string(jobs));
    CHECK(v.in.seen.count(event_type::key_missing) == 0);
    for (const char* old : {"k1", "k2", "k3"}) {
        fs::remove(v.folder.path() / (std::string{old} + ".key"));
    }
    REQUIRE(v.keys->reload().has_value());
    CHECK(upkeep.reseal(*v.keys).value().unreadable == 0);
    for (const auto& [id, texts] : v.seen) {
        REQUIRE(texts.size() == 1);
        REQUIRE(client.get(id).value().payload == texts.front());
    }
}

TEST_CASE("encryption: the key of one tenant deleted, its data is gone and the others run on") {
    vault v{true};
    for (const auto& tenant : {tenant_a, tenant_b}) {
        REQUIRE(libqueue::create_key(v.folder.path(), "tenant-" + tenant).has_value());
    }
    REQUIRE(v.keys->reload().has_value());
    auto client = v.client();
    const auto later = [&](const std::string& tenant) {
        return client.enqueue(charge("{\"n\":1}").for_tenant(tenant)).value().id;
    };
    const auto of_a = later(tenant_a);
    const auto of_b = later(tenant_b);

    fs::remove(v.folder.path() / ("tenant-" + tenant_a + ".key"));
    REQUIRE(v.keys->reload().has_value());
    auto worker = v.start();

    REQUIRE(v.in.wait_state(of_b, "completed"));
    REQUIRE(v.in.seen.wait_for(event_type::key_missing));
    CHECK(v.saw(of_a).empty());
    CHECK(libqueue::is_sealed(client.get(of_a).value().payload));
    const auto refused = client.enqueue(charge("{}").for_tenant(tenant_a));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::not_found);
    libqueue::key_upkeep upkeep{client};
    CHECK(upkeep.reseal(*v.keys).value().unreadable == 1);
}

TEST_CASE("encryption: options that could not work are refused") {
    vault v;
    auto options = v.in.options();
    CHECK_THROWS_WITH(libqueue::worker(options, {v.handler()}),
                      doctest::Contains("expected a keyring"));
    libqueue::client_options client{v.in.db.dsn()};
    client.encrypted_kinds = {kind};
    CHECK_THROWS_WITH(libqueue::client{client}, doctest::Contains("expected a keyring"));
}

TEST_SUITE_END();
