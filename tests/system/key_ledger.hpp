#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>

namespace test {

/// What runs under which key, counted by the handlers themselves in memory that all processes
/// share. One that is killed leaves its counts: who killed it takes them away (`forget`).
class key_ledger {
   public:
    static constexpr int keys = 1'000;
    static constexpr int processes = 8;

    /// Made by the test, mapped by the workers too.
    explicit key_ledger(const std::filesystem::path& file);
    ~key_ledger();
    key_ledger(const key_ledger&) = delete;
    key_ledger& operator=(const key_ledger&) = delete;

    /// A run of this process begins; counts a violation when more than `most` run now.
    void enter(int process, int key, int most);
    void leave(int process, int key);
    /// The run is the `step`-th of its key; counts a violation when it is neither the next nor, as
    /// a repeated attempt, the last one again.
    void in_order(int key, std::int64_t step);
    void forget(int process);

    [[nodiscard]] std::int64_t runs() const noexcept { return shared_->runs; }
    [[nodiscard]] std::int64_t too_many() const noexcept { return shared_->too_many; }
    [[nodiscard]] std::int64_t out_of_order() const noexcept { return shared_->out_of_order; }
    /// Most that ran at once under one key.
    [[nodiscard]] int highest() const noexcept { return shared_->highest; }

   private:
    struct memory {
        std::atomic<std::int64_t> runs;
        std::atomic<std::int64_t> too_many;
        std::atomic<std::int64_t> out_of_order;
        std::atomic<int> highest;
        std::array<std::array<std::atomic<int>, keys>, processes> running;
        std::array<std::atomic<std::int64_t>, keys> last_step;
    };
    memory* shared_;
};

}  // namespace test
