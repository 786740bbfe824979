#pragma once

#include "support/counterpart.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace system_test {

/// The processor under test; each test program has one.
[[nodiscard]] std::unique_ptr<test::counterpart> make_counterpart();

/// Real workerd processes with one processor, its other side, and a database of their own. Retries
/// come quickly, leases are short and nothing is given up early.
class processor_rig {
   public:
    /// `max_attempts`: of each job.
    explicit processor_rig(int max_attempts = 50);

    /// Ready to work. `failpoints`: see libqueue/failpoints.hpp.
    test::process& start(const std::string& failpoints = {});
    /// Kills all that still run.
    void kill_all();
    [[nodiscard]] std::vector<std::unique_ptr<test::process>>& workers() { return workers_; }

    /// `more`: further arguments of queue.enqueue.
    std::string enqueue(int key, const std::string& more = {}) const;
    /// The keys from `first` to before `last`, with one statement.
    void enqueue_many(int first, int last) const;
    std::string enqueue_payload(const std::string& payload, const std::string& more = {}) const;
    [[nodiscard]] std::string state(const std::string& job) const;
    [[nodiscard]] std::string value(const std::string& job, const std::string& expression) const;
    [[nodiscard]] bool reaches(const std::string& job, const std::string& state,
                               std::chrono::milliseconds deadline = std::chrono::seconds{30}) const;
    /// An attempt of it has ended, or it is completed.
    [[nodiscard]] bool was_tried(const std::string& job) const;
    [[nodiscard]] int effects(int key) const;
    /// What all workers have said so far.
    [[nodiscard]] std::string said() const;

    std::unique_ptr<test::counterpart> other{make_counterpart()};
    test::test_database db;

   private:
    test::temp_dir files_;
    int max_attempts_;
    std::string config_;
    bool prepared_{false};
    std::vector<std::unique_ptr<test::process>> workers_;
};

}  // namespace system_test
