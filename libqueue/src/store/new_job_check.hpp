#pragma once

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>

#include <string_view>

// What can be known to be wrong with a job before it is sent. The SQL functions apply the same
// rules; checking here gives the position of a fault and leaves the caller's transaction intact.
// Pure; any thread.

namespace libqueue::store {

[[nodiscard]] result<void> check_new_job(const new_job& job);

/// A queue's name: 1 to 64 of [A-Za-z0-9_.-].
[[nodiscard]] result<void> check_queue_name(std::string_view name);

/// 8-4-4-4-12 hexadecimal digits.
[[nodiscard]] bool is_uuid(std::string_view text) noexcept;

}  // namespace libqueue::store
