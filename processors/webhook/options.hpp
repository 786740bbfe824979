#pragma once

#include "processors/support/secret.hpp"

#include <chrono>
#include <filesystem>
#include <type_traits>
#include <vector>

namespace libqueue::processors::webhook {

class options {
   public:
    options() = default;

    /// One or two signing keys as `whsec_` + base64 of 24 to 64 bytes. During a rotation give both,
    /// the new one first: every delivery is signed with each.
    std::vector<secret> secrets;
    std::chrono::milliseconds timeout{20'000};  ///< of one delivery, connecting included
    std::filesystem::path ca_file;              ///< instead of the system's certificates
    bool allow_private{false};  ///< deliver to private, loopback and link-local addresses too
    bool allow_http{false};     ///< deliver to http:// too
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::webhook
