#pragma once

#include "audit.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace faults {

/// A change to the text of one statement, made when a worker prepares it.
class text_edit {
   public:
    std::string_view statement;  ///< the name it is prepared under
    std::string_view from;       ///< occurs in it; each occurrence is replaced
    std::string_view to;
};

/// A bug that queues of this sort have shipped. The product does not contain it: the fault tests'
/// own workerd edits the statement on its way to the server. An edit that does not apply ends the
/// process with code 87.
class planted_bug {
   public:
    std::string_view name;
    breach caught_as;
    std::vector<text_edit> edits;
};

[[nodiscard]] std::span<const planted_bug> planted_bugs();

inline constexpr int edit_failed_code = 87;

}  // namespace faults
