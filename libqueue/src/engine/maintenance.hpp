#pragma once

#include "engine/async.hpp"
#include "engine/batch_folder.hpp"
#include "engine/bulk_runner.hpp"
#include "engine/rescuer.hpp"
#include "engine/retention.hpp"
#include "engine/scheduler.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>

namespace libqueue::engine {

class runtime;

/// The slow work of a worker on a connection of its own: rescues dead workers, finds jobs that
/// stand behind the cursors, takes back claims whose answer was lost, prunes what has outlived its
/// use, fires schedules, adds up batches, does bulk operations.
class maintenance {
   public:
    explicit maintenance(runtime& shared);
    maintenance(const maintenance&) = delete;
    maintenance& operator=(const maintenance&) = delete;

    boost::asio::awaitable<void> run();
    void wake();
    /// What a heartbeat saw of the workers: while one has missed a beat, looks closely.
    void saw_workers(const pg::result& rows) { rescuer_.observe(rows); }
    /// What a heartbeat saw of the schedules.
    void saw_schedules(const schedule_sight& seen) {
        if (scheduler_.observe(seen)) {
            wake();
        }
    }
    [[nodiscard]] scheduler& schedules() noexcept { return scheduler_; }
    [[nodiscard]] const batch_folder& batches() const noexcept { return batch_folder_; }
    /// Somebody has counted for a batch, sealed or cancelled one.
    void saw_batches();
    /// The presence connection was lost: what it saw before proves nothing any more.
    void forget_workers() { rescuer_.forget_observations(); }
    [[nodiscard]] pg::pipeline& connection() noexcept { return connection_; }

   private:
    boost::asio::awaitable<void> sweep();
    boost::asio::awaitable<void> tell_audit_anchor();
    boost::asio::awaitable<void> find_strays();
    boost::asio::awaitable<void> find_suspects();
    boost::asio::awaitable<void> take_back_forgotten();

    runtime& shared_;
    pg::pipeline connection_;
    rescuer rescuer_;
    retention retention_;
    scheduler scheduler_;
    batch_folder batch_folder_;
    bulk_runner bulk_runner_;
    clock::duration strays_pause_{std::chrono::seconds{1}};
    std::chrono::milliseconds strays_patience_{std::chrono::seconds{10}};
    std::uint64_t claimed_before_{0};
    clock::time_point next_anchor_{};
    clock::time_point next_workers_{};
    clock::time_point next_strays_{};
    clock::time_point last_suspects_{};
    clock::time_point next_suspects_{clock::time_point::min()};
    clock::time_point next_forgotten_{};
    clock::time_point last_forgotten_{};
};

}  // namespace libqueue::engine
