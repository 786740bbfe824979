#include "engine/queue_state.hpp"

#include <algorithm>
#include <array>

namespace libqueue::engine {

std::chrono::milliseconds look_interval(int empty_looks, std::chrono::milliseconds poll) noexcept {
    using std::chrono::milliseconds;
    // The looks after arming cover an enqueuer that read the doorbell before and commits after.
    constexpr std::array<int, 9> steps_ms{1, 1, 1, 1, 1, 2, 10, 50, 250};
    if (empty_looks < 1 || empty_looks > static_cast<int>(steps_ms.size())) {
        return empty_looks < 1 ? milliseconds{0} : poll;
    }
    return std::min(poll, milliseconds{steps_ms[static_cast<std::size_t>(empty_looks - 1)]});
}

}  // namespace libqueue::engine
