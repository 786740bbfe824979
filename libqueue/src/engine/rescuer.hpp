#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace libqueue::engine {

class runtime;

/// Gives the jobs of dead workers back. A worker is dead when its beat count has not moved for its
/// lease as measured by *our* monotonic clock while *we* were connected, or, when its session lock
/// is free as well, for one and a half heartbeats. So neither a step of any clock nor an outage of
/// the database, which silences everyone, makes anyone a corpse.
class rescuer {
   public:
    rescuer(runtime& shared, pg::pipeline& connection) : shared_{shared}, connection_{connection} {}

    /// Looks once; returns how many jobs went back in line or to the dead letters.
    boost::asio::awaitable<std::int64_t> run_once();
    /// What a heartbeat saw of the workers.
    void observe(const pg::result& rows);
    /// One has missed a beat or is known to have died: worth looking more closely, by run_once().
    [[nodiscard]] bool anyone_late() const noexcept { return late_; }
    /// What was observed before a lost connection proves nothing any more.
    void forget_observations() { observed_.clear(); }

   private:
    struct observation {
        std::int64_t beats;
        clock::time_point since;
    };
    class dead_worker {
       public:
        dead_worker(std::int64_t worker_, std::int64_t beats_, std::string how_)
            : worker{worker_}, beats{beats_}, how{std::move(how_)} {}
        std::int64_t worker;
        std::int64_t beats;  // -1: its row is gone already
        std::string how;
    };
    std::vector<dead_worker> judge(const pg::result& rows);
    boost::asio::awaitable<std::int64_t> rescue(const dead_worker& dead);
    boost::asio::awaitable<std::int64_t> rescue_leases(const dead_worker& dead,
                                                       std::vector<std::int64_t> leases);

    runtime& shared_;
    pg::pipeline& connection_;
    std::map<std::int64_t, observation> observed_;
    bool late_{false};
};

}  // namespace libqueue::engine
