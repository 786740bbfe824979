#include "engine/run_log.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"

#include <utility>

namespace libqueue::engine {

void run_log::add(log_level level, const std::string& message, clock::time_point now) {
    if (count_ >= limits::log_attempt_lines) {
        ++dropped_;
        return;
    }
    std::string kept = core::storable_text(message, limits::log_line_bytes);
    if (bytes_ + kept.size() > limits::log_attempt_bytes) {
        ++dropped_;
        return;
    }
    bytes_ += kept.size();
    lines_.emplace_back(++count_, level, std::move(kept), now);
}

std::vector<log_line> run_log::take() {
    return std::exchange(lines_, {});
}

std::vector<log_line> run_log::take_last(clock::time_point now) {
    if (const int dropped = std::exchange(dropped_, 0); dropped > 0) {
        lines_.emplace_back(++count_, log_level::warning,
                            std::to_string(dropped) + " more lines were dropped", now);
    }
    return take();
}

}  // namespace libqueue::engine
