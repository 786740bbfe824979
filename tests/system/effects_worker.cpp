// A worker process that pays by the ledger and dies at random places. Killed and started over by
// effect_kills_test. effects_worker SEED: 0 dies of nothing but its parent. effects_worker rescue:
// does not pay, but takes back what the dead owed.
//
// The provider is a table without any guard of its own: a call is a row, so a second call shows.
#include <libqueue/libqueue.hpp>

#include <libpq-fe.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

namespace {

using libqueue::effect_state;
using libqueue::job_context;
using libqueue::outcome;

/// Dies once in `one_in` times.
class fate {
   public:
    explicit fate(std::uint64_t seed) : mortal_{seed != 0}, random_{seed} {}
    void tempt(unsigned one_in) {
        if (mortal_ && random_() % one_in == 0) {
            ::kill(::getpid(), SIGKILL);
        }
    }
    [[nodiscard]] bool loses_reply() { return random_() % 20 == 0; }

   private:
    bool mortal_;
    std::mt19937_64 random_;
};

class provider {
   public:
    provider() : connection_{PQconnectdb(std::getenv("DATABASE_URL")), PQfinish} {}
    void call(const std::string& key) { run("INSERT INTO provider_call (key) VALUES ($1)", key); }
    [[nodiscard]] bool knows(const std::string& key) {
        return run("SELECT count(*) FROM provider_call WHERE key = $1", key) != "0";
    }
    /// An ordinary run that finds its effect begun: the loss before was not flagged.
    void note_surprise(const std::string& key) {
        run("INSERT INTO surprise (key) VALUES ($1)", key);
    }

   private:
    std::string run(const char* sql, const std::string& key) {
        const char* const values[] = {key.c_str()};
        const std::unique_ptr<PGresult, decltype(&PQclear)> answer{
            PQexecParams(connection_.get(), sql, 1, nullptr, values, nullptr, nullptr, 0), PQclear};
        const ExecStatusType status = PQresultStatus(answer.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            throw std::runtime_error{PQerrorMessage(connection_.get())};
        }
        return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
    }
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

outcome pay(job_context& context, provider& outside, fate& fate) {
    auto effect = context.begin_effect_blocking("charge").value();
    switch (effect.state()) {
        case effect_state::committed:
            return libqueue::completed(effect.output().value_or(""));
        case effect_state::unknown:
            outside.note_surprise(effect.key());
            return libqueue::unknown("found open by an ordinary run");
        case effect_state::begun:
            break;
    }
    fate.tempt(15);
    outside.call(effect.key());
    fate.tempt(8);
    if (fate.loses_reply()) {
        throw std::runtime_error{"the reply was lost"};
    }
    effect.commit_blocking("1").value();
    fate.tempt(30);
    return libqueue::completed();
}

outcome reconcile(job_context& context, provider& outside, fate& fate) {
    auto effect = context.begin_effect_blocking("charge").value();
    if (effect.state() == effect_state::committed) {
        return libqueue::completed();
    }
    if (effect.state() == effect_state::begun) {
        effect.abandon_blocking().value();  // It was never begun: an ordinary run shall.
        return libqueue::retry("not begun");
    }
    const bool happened = outside.knows(effect.key());
    fate.tempt(30);
    effect.resolve_blocking(happened).value();
    return happened ? libqueue::completed() : libqueue::retry("it did not happen");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string part = argc > 1 ? argv[1] : "0";
    fate fate{std::strtoull(part.c_str(), nullptr, 10)};
    provider outside;
    sigset_t to_stop;
    ::sigemptyset(&to_stop);
    ::sigaddset(&to_stop, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &to_stop, nullptr);

    libqueue::registration kind{part == "rescue" ? "other" : "pay"};
    // One thread: the provider and fate need no lock.
    kind.handle_blocking = [&](job_context& context) {
        return pay(context, outside, fate);
    };
    kind.reconcile_blocking = [&](job_context& context) {
        return reconcile(context, outside, fate);
    };
    kind.options.max_attempts = 1'000;
    kind.options.crash_budget = 1'000;
    kind.options.retry =
        libqueue::retry_policy{libqueue::backoff_strategy::fixed, std::chrono::milliseconds{0},
                               std::chrono::milliseconds{0}, false};
    libqueue::worker_options options;
    options.dsn = std::getenv("DATABASE_URL");
    options.queues.emplace_back("default", 4);
    options.threads = 1;
    options.heartbeat = std::chrono::milliseconds{100};
    options.lease = std::chrono::milliseconds{600};
    options.poll_interval = std::chrono::milliseconds{200};
    libqueue::worker worker{options, {kind}};
    worker.start();
    int number = 0;
    ::sigwait(&to_stop, &number);
    worker.stop();
}
