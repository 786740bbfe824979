// A payment that is made once although the reply of the provider is lost: the ledger says before
// the call that it is about to be made, and the reconcile handler finds out what became of it.
#include <libqueue/libqueue.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

using libqueue::effect_state;
using libqueue::job_context;
using libqueue::outcome;

/// Stands for a payment provider. It charges, and the reply to its first charge gets lost.
class provider {
   public:
    std::string charge(const std::string& key, int cents) {
        const std::lock_guard lock{mutex_};
        ++calls_;
        const std::string id = "ch_" + std::to_string(charges_.size() + 1);
        charges_.emplace(key, id);
        if (calls_ == 1) {
            throw std::runtime_error{"no reply to the charge of " + std::to_string(cents)};
        }
        return id;
    }
    std::optional<std::string> look_up(const std::string& key) {
        const std::lock_guard lock{mutex_};
        const auto found = charges_.find(key);
        return found == charges_.end() ? std::nullopt : std::optional{found->second};
    }
    std::size_t charges() {
        const std::lock_guard lock{mutex_};
        return charges_.size();
    }

   private:
    std::mutex mutex_;
    std::multimap<std::string, std::string> charges_;
    int calls_{0};
};

struct payment {
    static constexpr libqueue::kind_name kind{"example.payment"};
    std::string order;
    int cents = 0;
};

provider outside;

outcome pay(const payment& job, job_context& context) {
    auto effect = context.begin_effect_blocking("charge").value();
    if (effect.state() == effect_state::committed) {
        return libqueue::completed(*effect.output());  // An earlier attempt did it.
    }
    if (effect.state() == effect_state::unknown) {
        return libqueue::unknown("a charge was begun and never ended");
    }
    // From here to commit the effect is open: whatever happens, nobody calls again before it is
    // known. An exception (the lost reply) is no exception to that.
    const std::string id = outside.charge(effect.key(), job.cents);
    effect.commit_blocking("\"" + id + "\"").value();
    return libqueue::completed("\"" + id + "\"");
}

outcome find_out(job_context& context) {
    auto effect = context.begin_effect_blocking("charge").value();
    if (effect.state() == effect_state::committed) {
        return libqueue::completed(*effect.output());
    }
    const auto id = outside.look_up(effect.key());
    context.log(libqueue::log_level::warning,
                "the charge " + effect.key() + (id ? " happened: " + *id : " did not happen"));
    if (!id) {
        effect.resolve_blocking(false).value();
        return libqueue::retry("the charge did not happen");
    }
    effect.resolve_blocking(true, "\"" + *id + "\"").value();
    return libqueue::completed("\"" + *id + "\"");
}

}  // namespace

int main() {
    const char* dsn = std::getenv("DATABASE_URL");
    libqueue::worker_options options;
    options.dsn = dsn != nullptr ? dsn : "";
    options.queues.emplace_back("default", 4);
    libqueue::registration kind = libqueue::handle<payment>(pay);
    kind.reconcile_blocking = find_out;
    kind.options.retry =
        libqueue::retry_policy{libqueue::backoff_strategy::fixed, std::chrono::milliseconds{100},
                               std::chrono::milliseconds{100}, false};
    libqueue::worker worker{options, {kind}};
    worker.start();
    libqueue::client client{libqueue::client_options{options.dsn}};
    libqueue::new_job job = libqueue::to_job(payment{"order-7", 500});
    job.idempotency_key = "order-7";
    const auto enqueued = client.enqueue(job);
    const auto done = client.wait(enqueued.value().id, std::chrono::seconds{20});
    worker.stop();
    std::cout << libqueue::to_string(done.value().state) << ", charged " << outside.charges()
              << " time\n";
}
