#pragma once

#include <cstdint>
#include <string_view>

namespace libqueue::engine {

/// What the meta of a job says of its batch and keys, which the end of its run must settle.
class attachments {
   public:
    /// Meta as PostgreSQL prints it, or empty. Costs jobs without any a search in their meta.
    [[nodiscard]] static attachments of(std::string_view meta);

    std::int64_t batch{0};  ///< 0: none
    bool keys{false};
};

}  // namespace libqueue::engine
