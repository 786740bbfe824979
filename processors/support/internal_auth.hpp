#pragma once

#include "processors/support/http_request.hpp"
#include "processors/support/secret.hpp"

#include <libqueue/error.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

// How our services prove to each other who calls: HMAC-SHA256 over the request, in five headers.
//
//   x-internal-service    who calls
//   x-internal-timestamp  seconds since 1970
//   x-internal-nonce      32 hexadecimal digits, random, never twice
//   x-internal-body-hash  SHA-256 of the body, 64 lower-case hexadecimal digits
//   x-internal-signature  HMAC-SHA256 by the shared key, 64 lower-case hexadecimal digits, of
//                         service LF timestamp LF nonce LF METHOD LF target LF body-hash
//
// METHOD and target (path and query) as in the request line, so that what was signed for one
// endpoint is of no use at another.

namespace libqueue::processors {

/// Signs calls of one service. Any thread.
class internal_signer {
   public:
    /// Throws std::invalid_argument: `service` is not 1 to 64 of a-z 0-9 _ . -, or the key has less
    /// than 32 bytes.
    internal_signer(std::string service, secret key);

    /// Adds the headers: a new nonce and time with every call, so sign each try anew. `target` is
    /// path and query of the URL.
    void sign(http_request& request, std::string_view target,
              std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

   private:
    std::string service_;
    secret key_;
};

/// One request as it was received.
class received_call {
   public:
    received_call(std::string method_, std::string target_, std::string body_)
        : method{std::move(method_)}, target{std::move(target_)}, body{std::move(body_)} {}
    std::string method;
    std::string target;
    std::string body;  ///< raw, before any parsing
    /// Value of the header, asked for in lower case; empty when absent.
    std::function<std::string(std::string_view)> header;
};
static_assert(!std::is_aggregate_v<received_call>);

/// For the side that is called. Remembers the nonces of the window, at most `most_nonces`; when as
/// many calls came within it, further ones are refused rather than let in unchecked. Any thread.
class internal_verifier {
   public:
    explicit internal_verifier(std::chrono::seconds window = std::chrono::seconds{60},
                               std::size_t most_nonces = 100'000);

    /// `service` may call, with this key; called twice, with either (rotation).
    void allow(std::string service, secret key);

    /// Who called. Error invalid_argument: a header is missing, the service is not allowed, the
    /// time lies outside the window on either side, the body or the signature is another, or the
    /// nonce came before. The text says which but nothing of what was expected.
    [[nodiscard]] result<std::string> verify(
        const received_call& call,
        std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

   private:
    [[nodiscard]] bool signature_fits(const std::string& service, std::string_view text,
                                      std::string_view signature) const;
    [[nodiscard]] result<void> remember(const std::string& nonce,
                                        std::chrono::system_clock::time_point now);

    std::chrono::seconds window_;
    std::size_t most_nonces_;
    std::multimap<std::string, secret, std::less<>> keys_;
    std::mutex mutex_;
    std::unordered_set<std::string> nonces_;
    /// The same in the order they came, with the time from which each may be forgotten.
    std::deque<std::pair<std::chrono::system_clock::time_point, std::string>> ages_;
};

}  // namespace libqueue::processors
