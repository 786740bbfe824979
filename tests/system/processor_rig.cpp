#include "processor_rig.hpp"

#include "support/wait_until.hpp"

#include <doctest/doctest.h>

namespace system_test {

processor_rig::processor_rig(int max_attempts) : max_attempts_{max_attempts} {
    const std::string text =
        "queues: {default: {concurrency: 20}}\n"
        "http: {enabled: false}\n"
        "worker: {heartbeat: 200ms, lease: 2s, poll_interval: 250ms}\n"
        "kinds:\n"
        "  " +
        other->kind() +
        ": {concurrency: 20, crash_budget: 1000, "
        "retry: {strategy: fixed, base: 50ms, cap: 50ms, jitter: false}}\n"
        "processors:\n" +
        other->processors_yaml() + other->more_yaml();
    config_ = files_.write("workerd.yaml", text).string();
}

test::process& processor_rig::start(const std::string& failpoints) {
    test::process_options options{test::binary("workerd"), {"--config", config_, "--db", db.dsn()}};
    if (!failpoints.empty()) {
        options.env.emplace_back("LIBQUEUE_FAILPOINTS", failpoints);
    }
    workers_.push_back(std::make_unique<test::process>(options));
    test::process& made = *workers_.back();
    REQUIRE_MESSAGE(made.wait_for_text("worker_ready"), made.errors());
    if (!prepared_ && !other->preparation_sql().empty()) {
        test::process_options psql{"psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", db.dsn()}};
        psql.stdin_text = other->preparation_sql();
        const auto done = test::run_command(psql);
        REQUIRE_MESSAGE(done.code == 0, done.errors);
    }
    prepared_ = true;
    return made;
}

void processor_rig::kill_all() {
    for (const auto& each : workers_) {
        each->kill();
    }
}

std::string processor_rig::enqueue(int key, const std::string& more) const {
    return enqueue_payload(other->payload(key), more);
}

void processor_rig::enqueue_many(int first, int last) const {
    std::string payloads;
    for (int key = first; key < last; ++key) {
        payloads += (key == first ? "[" : ", ") + other->payload(key);
    }
    const std::string enqueued = db.query(
        "SELECT count(*) FROM queue.enqueue_many($1, "
        "ARRAY(SELECT jsonb_array_elements($2::jsonb)), max_attempts => " +
            std::to_string(max_attempts_) + ")",
        {other->kind(), payloads + "]"});
    REQUIRE(enqueued == std::to_string(last - first));
}

std::string processor_rig::enqueue_payload(const std::string& payload,
                                           const std::string& more) const {
    const std::string attempts = more.find("max_attempts") == std::string::npos
                                     ? ", max_attempts => " + std::to_string(max_attempts_)
                                     : std::string{};
    return db.query("SELECT queue.enqueue($1, $2::jsonb" + attempts +
                        (more.empty() ? std::string{} : ", " + more) + ")",
                    {other->kind(), payload});
}

std::string processor_rig::state(const std::string& job) const {
    return value(job, "state");
}

std::string processor_rig::value(const std::string& job, const std::string& expression) const {
    return db.query("SELECT " + expression + " FROM queue.jobs WHERE id = $1::bigint", {job});
}

bool processor_rig::reaches(const std::string& job, const std::string& state,
                            std::chrono::milliseconds deadline) const {
    return test::wait_until([&] { return this->state(job) == state; }, test::scaled(deadline));
}

bool processor_rig::was_tried(const std::string& job) const {
    return test::wait_until(
        [&] {
            return db.query("SELECT EXISTS (SELECT FROM queue.attempt WHERE job_id = $1::bigint)",
                            {job}) == "t";
        },
        test::scaled(std::chrono::seconds{30}));
}

int processor_rig::effects(int key) const {
    const std::string sql = other->effects_sql();
    return sql.empty() ? other->effects(key) : std::stoi(db.query(sql, {std::to_string(key)}));
}

std::string processor_rig::said() const {
    std::string all;
    for (const auto& each : workers_) {
        all += each->output() + each->errors();
    }
    return all;
}

}  // namespace system_test
