#pragma once

#include "processors/support/secret.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

namespace libqueue::processors::webhook {

class options {
   public:
    options() = default;

    /// One or two signing keys, as `libqueue::webhook::key` reads those that sign (`whsec_`,
    /// `whsk_`), for jobs that name a URL. During a rotation give both, the new one first: every
    /// delivery is signed with each.
    std::vector<secret> secrets;
    /// None, one or two master keys (`libqueue::webhook::master_key`): what the keys of endpoints
    /// are derived from. Without one the kinds of endpoints are not registered. With two every
    /// delivery is signed with the keys of each, the first one's first.
    std::vector<secret> endpoint_keys;
    /// `source` of CloudEvents: a URI reference that says where events come from.
    std::string source{"/libqueue"};
    std::chrono::milliseconds timeout{20'000};  ///< of one delivery, connecting included
    std::filesystem::path ca_file;              ///< instead of the system's certificates
    bool allow_private{false};  ///< deliver to private, loopback and link-local addresses too
    bool allow_http{false};     ///< deliver to http:// too
    /// How long a change of an endpoint may go unnoticed; zero: not at all, one statement more for
    /// each delivery.
    std::chrono::milliseconds endpoint_cache{5'000};
    std::chrono::hours keep_log{24 * 30};  ///< events and delivery log
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::webhook
