#pragma once

#include <libqueue/job.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace faults {

/// What a producer wrote down outside the database, each line on the disk before it went on:
/// `I key` before it asked, `A key id` after it was told, `R key` when it had to ask again, `D key`
/// when it then heard that the job had been there.
class journal {
   public:
    journal() = default;
    explicit journal(const std::filesystem::path& file) { read(file); }
    /// Adds a file. A line cut short by a kill counts as not written.
    void read(const std::filesystem::path& file);
    /// Intents that were never acknowledged, in the order they were written.
    [[nodiscard]] std::vector<std::string> open() const;

    std::vector<std::string> intents;
    std::unordered_set<std::string> intended;
    std::unordered_map<std::string, std::int64_t> acknowledged;
    std::vector<std::string> acknowledged_twice;  ///< with another id the second time
    std::size_t repeats{0};
    std::size_t duplicates{0};
};

/// The writing side. One process at a time.
class journal_writer {
   public:
    /// Appends; ends a line that a kill cut short.
    explicit journal_writer(const std::filesystem::path& file);
    journal_writer(const journal_writer&) = delete;
    journal_writer& operator=(const journal_writer&) = delete;
    ~journal_writer();
    /// On the disk when it returns.
    void write(const std::string& lines);

   private:
    int file_;
};

/// The job of a key: the same whenever it is asked for, so that a repeat means the same work.
/// `ms_most`: jobs take up to so long.
[[nodiscard]] libqueue::new_job job_of(const std::string& key, int ms_most);

}  // namespace faults
