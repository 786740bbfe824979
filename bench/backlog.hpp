#pragma once

#include "bench/harness.hpp"

#include <libqueue/client.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace bench {

inline constexpr const char* kind = "debug.noop";
inline constexpr std::int64_t batch_size = 1'000;

/// Applies the migrations.
void install_queue(const std::string& dsn);

/// Enqueues this many no-ops in one transaction, the first numbered `from`.
void enqueue_batch(libqueue::client& producer, std::int64_t from, std::int64_t count, int priority);

/// Waits until no lease is left, so that everything that ran is recorded; calls `still_alive`
/// before each look, which may throw.
void wait_recorded(session& db, const std::function<void()>& still_alive);

/// Throws unless the history is exactly this many jobs, each completed once, and the line is empty.
void check_history(session& db, std::int64_t jobs);

}  // namespace bench
