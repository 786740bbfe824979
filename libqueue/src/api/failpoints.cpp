#include "pg/failpoint.hpp"

#include <libqueue/failpoints.hpp>

namespace libqueue {

std::span<const std::string_view> failpoint_names() noexcept {
    return pg::failpoint_names();
}

result<std::vector<std::string>> arm_failpoints(std::string_view text) {
    return pg::arm_failpoints(text);
}

}  // namespace libqueue
