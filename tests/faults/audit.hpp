#pragma once

#include "journal.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

/// What must never be. The first four are the promise; the fifth is how it is kept.
enum class breach {
    lost,      ///< acknowledged and gone, or completed without having run, or buried unasked
    doubled,   ///< two jobs for one key, two accepted ends, a run after the accepted end
    unfenced,  ///< an end accepted, or a run begun, without its lease
    stuck,     ///< nobody will ever finish it
    illegal,   ///< any other way through the tables than those there are
};
inline constexpr std::array<std::string_view, 5> breach_names{"lost", "doubled", "unfenced",
                                                              "stuck", "illegal"};

/// What the auditor found.
class findings {
   public:
    void add(breach what, const std::string& where);
    /// How one of them came about; only the first few are kept.
    void tell(const std::string& story);
    [[nodiscard]] std::size_t count(breach what) const {
        return counts_.at(static_cast<std::size_t>(what));
    }
    [[nodiscard]] bool clean() const;
    /// "lost 0 doubled 0 …", and of each breach the first few places.
    [[nodiscard]] std::string text() const;

    std::size_t acknowledged{0};
    std::size_t jobs{0};
    std::size_t runs{0};      ///< handlers begun
    std::size_t repeated{0};  ///< effects beyond the first of a job: at least once, after a fault
    std::size_t losses{0};    ///< runs written off because their worker was lost
    std::size_t dead{0};      ///< jobs that fail always, in the dead letters as they should be

   private:
    std::array<std::size_t, breach_names.size()> counts_{};
    std::vector<std::string> examples_;
    std::vector<std::string> stories_;
};

class audit_options {
   public:
    audit_options() = default;
    std::chrono::milliseconds settle{60'000};  ///< for the fleet to finish everything
    /// Silence that justifies declaring a worker dead whose process nobody saw end.
    std::chrono::milliseconds silence{600};
};

/// Waits until nothing is in line and nothing leased. False at the deadline.
[[nodiscard]] bool wait_settled(const std::string& dsn, const audit_options& options);

/// Compares the database with what the producers and the handlers wrote down outside of it. Shares
/// no code with the engine and asks none of its views. Everything has settled, or never will.
[[nodiscard]] findings audit(const std::string& dsn, const journal& promised,
                             const std::filesystem::path& ledger, const audit_options& options);

}  // namespace faults
