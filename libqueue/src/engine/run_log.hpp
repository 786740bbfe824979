#pragma once

#include "engine/async.hpp"

#include <libqueue/job_context.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace libqueue::engine {

/// One line a handler said.
class log_line {
   public:
    log_line(int number_, log_level level_, std::string message_, clock::time_point at_)
        : number{number_}, level{level_}, message{std::move(message_)}, at{at_} {}
    int number;  ///< within the run, from 1
    log_level level;
    std::string message;  ///< storable text
    clock::time_point at;
};

/// The lines of one run that are not written yet, and how much room is left for more. Not
/// thread-safe.
class run_log {
   public:
    /// What is over the bounds is counted only.
    void add(log_level level, const std::string& message, clock::time_point now);
    /// The lines added since the last call.
    [[nodiscard]] std::vector<log_line> take();
    /// The same for the last time, with a line that says how many were dropped if any was.
    [[nodiscard]] std::vector<log_line> take_last(clock::time_point now);
    [[nodiscard]] std::size_t waiting() const noexcept { return lines_.size(); }

   private:
    std::vector<log_line> lines_;
    int count_{0};
    std::size_t bytes_{0};
    int dropped_{0};
};

}  // namespace libqueue::engine
