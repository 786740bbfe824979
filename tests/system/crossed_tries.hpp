#pragma once

#include <span>
#include <string_view>

namespace test {

/// How one tenant reaches for another's by the API. `$job` and the like are the other's things.
struct crossed_try {
    /// What is right for an answer, beside that it shows nothing of the other's.
    enum class must {
        refuse,   ///< 404, as for what never was; 403 where the role has not the right
        be_bare,  ///< likewise, or an empty list, or a count of 0
        be_own,   ///< anything that is one's own
    };
    std::string_view route;  ///< as in the table of routes: "GET /jobs/{id}"
    must answer;
    std::string_view target;
    std::string_view body = {};
    std::string_view key = {};  ///< Idempotency-Key
};

[[nodiscard]] std::span<const crossed_try> crossed_tries();

/// The same for qctl: words between spaces.
struct crossed_line {
    bool refused;  ///< must fail; else it must show nothing
    std::string_view words;
};

[[nodiscard]] std::span<const crossed_line> crossed_lines();

}  // namespace test
