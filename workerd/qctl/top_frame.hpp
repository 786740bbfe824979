#pragma once

#include "instant.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What `qctl top` shows, as figures and as text. Pure: the terminal is terminal.hpp's, asking is
// the verb's.

namespace qctl {

class top_queue {
   public:
    std::string name;
    std::int64_t ready{0};
    std::int64_t scheduled{0};
    std::int64_t retrying{0};
    std::int64_t running{0};
    std::int64_t dead{0};
    std::optional<double> oldest_seconds;  ///< of what waits and could run
    std::optional<double> per_second;      ///< finished, lately
    std::optional<double> failed_percent;  ///< of them
    bool paused{false};
    bool late{false};  ///< beyond its objective
};

class top_worker {
   public:
    std::string name;
    std::string state;
    bool live{false};
    std::int64_t active{0};
    std::string queues;
};

class top_kind {
   public:
    std::string name;
    std::string says;  ///< "12 jobs wait, no worker", "mean 4.2s"
    bool bad{false};
};

class top_frame {
   public:
    std::string place;  ///< the server or database, without secrets
    time_point at{};
    std::vector<top_queue> queues;
    std::vector<top_worker> workers;
    std::vector<top_kind> kinds;
    std::optional<double> completed_per_second;
    std::optional<double> failed_per_second;
    /// Why the figures are not of now; empty: they are.
    std::string problem;
};

enum class top_order { worst, name, ready, running, dead, oldest, rate };

[[nodiscard]] std::string_view to_string(top_order order) noexcept;
[[nodiscard]] std::optional<top_order> parse_top_order(std::string_view text) noexcept;

/// How it is looked at.
class top_view {
   public:
    top_order order{top_order::worst};
    std::string filter;
    std::size_t scrolled{0};  ///< queues left out at the top
    bool paused{false};
    bool typing{false};  ///< a filter
    bool help{false};
    bool color{false};
    std::size_t width{80};
    std::size_t height{0};  ///< 0: as many lines as it takes
};

/// The queues that are shown, in order.
[[nodiscard]] std::vector<top_queue> shown_queues(const top_frame& of, const top_view& how);

/// Lines without line ends; at most `height` of them, none wider than `width`.
[[nodiscard]] std::vector<std::string> top_lines(const top_frame& of, const top_view& how);

/// What a key does to the view.
enum class top_key {
    none,
    quit,
    interrupt,
    suspend,
    pause,
    next_order,
    previous_order,
    filter,
    up,
    down,
    page_up,
    page_down,
    home,
    refresh,
    help,
    escape,
    enter,
    erase,
    text,
};

class top_press {
   public:
    top_key key{top_key::none};
    std::string text;  ///< what was typed, for a filter
};

/// Reads one key from the front of `typed`; the bytes read are taken away. An escape sequence that
/// is not whole yet is left where it is (`none`), unless `all`.
[[nodiscard]] top_press read_key(std::string& typed, bool all);

/// What it means, but for quit, interrupt, suspend and refresh.
void press(top_view& how, const top_press& what, std::size_t queues);

}  // namespace qctl
