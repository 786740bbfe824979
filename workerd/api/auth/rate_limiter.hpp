#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace workerd::api {

/// What a request found in its bucket.
class rate_verdict {
   public:
    rate_verdict() = default;
    bool allowed = true;
    int limit = 0;  ///< tokens of a full bucket
    int remaining = 0;
    int full_in = 0;      ///< seconds until it is full
    int retry_after = 0;  ///< seconds until a request is allowed
};

/// Token buckets by key, of this process alone: what protects a process need not be exact across
/// all of them, and must not cost the database a statement per request. A bucket holds what comes
/// in six seconds, ten at least. Thread-safe.
class rate_limiter {
   public:
    using clock = std::chrono::steady_clock;

    explicit rate_limiter(double per_second);

    /// Takes `cost` tokens when they are there. `cost` 0 only looks whether one is.
    [[nodiscard]] rate_verdict take(std::string_view key, int cost = 1,
                                    clock::time_point now = clock::now());
    /// Takes tokens whether they are there or not, down to an empty bucket.
    void charge(std::string_view key, int cost, clock::time_point now = clock::now());

   private:
    class bucket {
       public:
        double tokens = 0;
        clock::time_point at{};
    };

    [[nodiscard]] bucket& find(std::string_view key, clock::time_point now);
    void forget_full(clock::time_point now);

    double rate_;
    double burst_;
    std::mutex mutex_;
    std::unordered_map<std::string, bucket> buckets_;
};

}  // namespace workerd::api
