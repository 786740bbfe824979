#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace test {
class connection;
}

namespace faults {

/// What the server has acknowledged: the promise the auditor holds the engine to.
class journal {
   public:
    journal() = default;
    std::vector<std::int64_t> ids;
    std::map<std::string, std::int64_t> keys;  ///< empty without keys
    std::size_t repeats{0};  ///< enqueues said again because their outcome was unknown
    std::string refused;     ///< an answer no fault explains; empty: none
};

/// A thread that enqueues through its own connection and writes down an id only after the server
/// acknowledged it. It keeps a few hundred jobs in line, so the load follows the workers' pace.
class producer {
   public:
    enum class mode {
        plain,  ///< the database stays up; any error is a fault of the test
        keyed,  ///< each job has a key; an enqueue of unknown outcome is repeated with it
    };

    producer(std::string dsn, mode how, std::uint64_t seed);
    ~producer();
    producer(const producer&) = delete;
    producer& operator=(const producer&) = delete;

    /// Jobs acknowledged so far; thread-safe.
    [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_.load(); }
    /// True once `more` jobs have been acknowledged since the call; false after 30 s.
    [[nodiscard]] bool wait_for_more(std::size_t more) const;
    /// Ends the load; a keyed enqueue under way is repeated until it is known. The database must
    /// be up.
    [[nodiscard]] journal finish();

   private:
    void run();
    void enqueue_one(std::optional<test::connection>& db);
    void wait_for_room(test::connection& db);

    std::string dsn_;
    mode mode_;
    std::mt19937_64 random_;
    journal journal_;  // the thread's, until it is joined
    std::atomic<std::size_t> acknowledged_{0};
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

/// Checks everything with doctest: see the comment in the source for the list.
void audit(const std::string& dsn, const journal& promised);

}  // namespace faults
