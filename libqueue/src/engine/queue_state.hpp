#pragma once

#include "core/claim_budget.hpp"
#include "core/line_cursor.hpp"
#include "engine/job_run.hpp"

#include <libqueue/worker.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace libqueue::engine {

/// A kind this process handles and how many of its jobs it holds.
struct kind_state {
    const registration* handler{nullptr};
    int running{0};
    int unstarted{0};
    int claiming{0};  // reserved by claims under way
    /// How many more may be claimed; the queue's own limit comes on top.
    [[nodiscard]] int room() const noexcept {
        const int most = handler->options.concurrency;
        return most == 0 ? 1'000'000 : most - running - unstarted - claiming;
    }
};

/// Kinds of a queue that are under the same limits; claimed apart from all others.
struct limited_group {
    std::string kind_limit;
    std::string queue_limit;
    bool asked{false};  // a claim is under way on one of the lanes
    int most{10};       // to ask for: grows while it is given as much
    /// Jobs wait that may not start before this.
    clock::time_point blocked_until{clock::time_point::min()};
    /// Look then, whatever the queue's own watch says.
    clock::time_point due_at{clock::time_point::max()};
};

/// One line of a queue that this process can serve.
struct line_state {
    int id{0};
    int priority{0};
    kind_state* kind{nullptr};
    limited_group* limited{nullptr};  // null: under no limit
    core::line_cursor cursor;
};

/// A job behind the cursors.
struct stray {
    int line_id;
    std::int64_t run_at;
    job_id id;
};

/// How far a queue that gave nothing has gone towards sleep: a few quick looks, then the doorbell
/// is armed, then looks ever further apart, at last the poll interval.
struct watch_state {
    int empty_looks{0};
    bool armed{false};  // our doorbell time is set in the database
    clock::time_point armed_until{};
    bool clear_bell{false};  // clear it with the next turn
    clock::time_point next_look{clock::time_point::min()};
    clock::time_point next_due{clock::time_point::max()};  // of the job at the head, as last heard
    clock::time_point next_due_look{clock::time_point::min()};  // ask again from here on
};

/// Keys of a queue as this process knows them: when to admit jobs that wait for theirs.
struct key_watch {
    bool used{false};  // keys were used in this queue at some time
    bool owed{false};  // a key came free in our turn and nobody has looked at it yet
    clock::time_point due{clock::time_point::max()};  // the next look that is known to be needed
    clock::time_point next_whole{clock::time_point::min()};  // see queue.admit_keys
};

/// A queue this process serves. Loop thread only.
struct queue_state {
    std::string name;
    int id{0};
    int concurrency{1};
    int running{0};
    int claiming{0};
    bool pumping{false};  // a handler that returns at once comes back to pump() from within it
    std::deque<run_ptr> unstarted;
    std::vector<line_state> lines;       // by priority
    std::vector<limited_group> limited;  // fixed once the worker runs
    std::size_t limited_first{0};        // whose turn it is among them
    std::vector<stray> strays;
    watch_state watch;
    key_watch keys;
    core::rate_meter finished{std::chrono::seconds{2}, clock::now()};
    double turn_seconds{0.005};
    double payload_bytes{1024};  // mean of those seen, fading

    [[nodiscard]] int free_slots() const noexcept {
        return concurrency > running ? concurrency - running : 0;
    }
};

/// The looks of watch_state in their order; after the last, the poll interval.
[[nodiscard]] std::chrono::milliseconds look_interval(int empty_looks,
                                                      std::chrono::milliseconds poll) noexcept;
/// From this many empty looks on the doorbell is armed with each look.
inline constexpr int looks_before_arming{5};

}  // namespace libqueue::engine
