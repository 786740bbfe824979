#include "wait_until.hpp"

#include <algorithm>
#include <thread>

namespace test {

std::chrono::milliseconds scaled(std::chrono::milliseconds deadline) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return deadline * 4;
#else
    return deadline;
#endif
}

bool wait_until(const std::function<bool()>& ready, std::chrono::milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + scaled(deadline);
    auto nap = std::chrono::milliseconds{1};
    while (!ready()) {
        if (std::chrono::steady_clock::now() >= end) {
            return ready();
        }
        std::this_thread::sleep_for(nap);
        nap = std::min(nap * 2, std::chrono::milliseconds{20});
    }
    return true;
}

}  // namespace test
