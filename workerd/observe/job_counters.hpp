#pragma once

#include <libqueue/observer.hpp>
#include <libqueue/samples.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace workerd::observe {

/// Its jobs show that a queue moves, and are in no count of what users do.
inline constexpr std::string_view canary_kind{"queue.canary"};

/// One thread adds, any thread reads: relaxed stores of what only the writer changes cost what
/// plain ones do.
class counter {
   public:
    void add(std::uint64_t much) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + much, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

   private:
    std::atomic<std::uint64_t> value_{0};
};

/// Durations in the buckets of libqueue::sample_bounds, one more for what is longer.
class time_histogram {
   public:
    static constexpr std::size_t buckets{libqueue::sample_bounds.size() + 1};
    using counts = std::array<std::uint64_t, buckets>;

    void add(std::chrono::microseconds time) noexcept;
    [[nodiscard]] counts read() const noexcept;
    [[nodiscard]] double sum_seconds() const noexcept;

   private:
    std::array<counter, buckets> counts_;
    counter sum_us_;
};

inline constexpr std::size_t outcome_count{6};
using outcome_counts = std::array<std::uint64_t, outcome_count>;

/// Of the jobs of one queue and kind in this process.
class kind_counters {
   public:
    kind_counters(std::string queue_, std::string kind_)
        : queue{std::move(queue_)}, kind{std::move(kind_)} {}
    const std::string queue;
    const std::string kind;
    std::array<counter, outcome_count> outcomes;  ///< by outcome::type
    counter dead;
    counter timed_out;
    time_histogram run;
};

class queue_counters {
   public:
    explicit queue_counters(std::string queue_) : queue{std::move(queue_)} {}
    const std::string queue;
    time_histogram wait;
    time_histogram end_to_end;
    time_histogram canary;
};

/// Counts what a worker's observer hears, at some 100 ns a job: `on_event` on the worker's loop
/// thread and there alone, everything else from any thread. The first 200 pairs of queue and kind
/// have counters of their own, as have the first 200 queues; what comes later is `other`.
class job_counters {
   public:
    job_counters();
    void on_event(const libqueue::event& e) noexcept;

    void each_kind(const std::function<void(const kind_counters&)>& with) const;
    void each_queue(const std::function<void(const queue_counters&)>& with) const;
    /// How often something happened that is no job's end.
    [[nodiscard]] std::uint64_t happened(libqueue::event_type type) const noexcept;
    [[nodiscard]] std::uint64_t rescued() const noexcept { return rescued_.value(); }
    /// Turns that asked for jobs and got some, or none.
    [[nodiscard]] std::uint64_t claims(bool with_jobs) const noexcept {
        return claims_[with_jobs ? 1 : 0].value();
    }
    [[nodiscard]] std::uint64_t claimed() const noexcept { return claimed_.value(); }
    [[nodiscard]] const time_histogram& claim_time() const noexcept { return claim_time_; }

   private:
    static constexpr std::size_t most{200};
    static constexpr std::size_t event_types{40};

    /// Grows only; what has been published stays where it is.
    template <typename Entry>
    class table {
       public:
        [[nodiscard]] std::size_t size() const noexcept {
            return size_.load(std::memory_order_acquire);
        }
        [[nodiscard]] const Entry& at(std::size_t place) const { return *entries_[place]; }
        [[nodiscard]] Entry& at(std::size_t place) { return *entries_[place]; }
        Entry& add(std::unique_ptr<Entry> made) {
            const std::size_t place = size_.load(std::memory_order_relaxed);
            entries_[place] = std::move(made);
            size_.store(place + 1, std::memory_order_release);
            return *entries_[place];
        }

       private:
        // One more: the one for all others.
        std::array<std::unique_ptr<Entry>, most + 1> entries_;
        std::atomic<std::size_t> size_{0};
    };
    class pair_of_names {
       public:
        std::string_view queue;
        std::string_view kind;
        bool operator==(const pair_of_names&) const = default;
    };
    class pair_hash {
       public:
        std::size_t operator()(const pair_of_names& names) const noexcept {
            const std::hash<std::string_view> hash;
            return hash(names.queue) * 31 + hash(names.kind);
        }
    };
    /// What the jobs of one pair count in.
    class place {
       public:
        kind_counters* kind{nullptr};
        queue_counters* queue{nullptr};
    };

    [[nodiscard]] place find(const libqueue::job& job);
    place make(const libqueue::job& job);
    queue_counters& queue_of(std::string_view name);
    void count_end(const libqueue::event& e);

    table<kind_counters> kinds_;
    table<queue_counters> queues_;
    std::array<counter, event_types> happened_;
    counter rescued_;
    std::array<counter, 2> claims_;
    counter claimed_;
    time_histogram claim_time_;
    // The writer's own. Keys view the names in `names_`.
    std::unordered_map<pair_of_names, place, pair_hash> places_;
    std::vector<std::unique_ptr<std::pair<std::string, std::string>>> names_;
    pair_of_names last_names_;
    place last_;
};

/// Of each queue, what one process has ended since it was last asked: for samples. One thread.
class sample_taker {
   public:
    explicit sample_taker(const job_counters& from) : from_{from} {}
    /// JSON array of samples of this process for the minute that began at `minute` (RFC 3339), or
    /// empty when nothing ended. What is returned counts as taken.
    [[nodiscard]] std::string take(const std::string& minute, const std::string& process);

   private:
    class totals {
       public:
        outcome_counts outcomes{};
        time_histogram::counts wait{};
        time_histogram::counts run{};
    };
    [[nodiscard]] std::unordered_map<std::string, totals> read() const;

    const job_counters& from_;
    std::unordered_map<std::string, totals> taken_;
};

}  // namespace workerd::observe
