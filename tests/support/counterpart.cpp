#include "counterpart.hpp"

namespace test {

std::string_view to_string(provider_fault fault) noexcept {
    switch (fault) {
        case provider_fault::none:
            return "none";
        case provider_fault::lost_reply:
            return "lost_reply";
        case provider_fault::down:
            return "down";
        case provider_fault::slow:
            return "slow";
        case provider_fault::random:
            return "random";
    }
    return {};
}

provider_fault fault_switch::next() {
    if (fault_ != provider_fault::random) {
        return fault_;
    }
    switch (std::uniform_int_distribution{0, 5}(random_)) {
        case 0:
            return provider_fault::lost_reply;
        case 1:
            return provider_fault::down;
        case 2:
            return provider_fault::slow;
        default:
            return provider_fault::none;
    }
}

}  // namespace test
