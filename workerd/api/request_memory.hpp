#pragma once

#include "answer.hpp"

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace workerd::api {

/// An Idempotency-Key on its way: taken before the request is carried out, and afterwards either
/// kept with the answer or given back. A process that dies between leaves it taken: then nobody
/// knows whether the request was carried out, and whoever asks again is told so (409) instead of
/// having it done twice. Keys are the caller's own and last a day.
class request_memory {
   public:
    /// `request` is method, path, query and body. The client is used as itself and is left so.
    request_memory(libqueue::client& database, const libqueue::principal& who, std::string_view key,
                   std::string_view request);
    request_memory(const request_memory&) = delete;
    request_memory& operator=(const request_memory&) = delete;

    /// Nothing: the key is ours, carry it out. Else the answer of the time before. Refuses a key
    /// that came with another request (422) or whose request has no answer (409).
    [[nodiscard]] std::optional<answer> take();
    /// Answers of ours that failed (5xx) are not kept: the key is free again.
    void keep(const answer& made);
    void give_back();

   private:
    libqueue::client& database_;
    std::optional<std::string> tenant_id_;
    std::string key_hash_;
    std::string request_hash_;
    std::string mark_;  ///< tells our row from another's, when a statement had to be sent again
};

/// 1 to 128 visible ASCII characters.
[[nodiscard]] bool is_request_key(std::string_view text);

}  // namespace workerd::api
