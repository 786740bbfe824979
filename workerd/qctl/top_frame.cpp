#include "top_frame.hpp"

#include "printable.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <tuple>
#include <utility>

namespace qctl {

namespace {

constexpr std::string_view plain = "\x1b[0m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view inverse = "\x1b[7m";

constexpr std::array<std::pair<std::string_view, top_order>, 7> orders{{
    {"worst", top_order::worst},
    {"name", top_order::name},
    {"ready", top_order::ready},
    {"running", top_order::running},
    {"dead", top_order::dead},
    {"oldest", top_order::oldest},
    {"rate", top_order::rate},
}};

constexpr std::size_t most_kinds = 5;
constexpr std::size_t most_workers = 8;
constexpr std::size_t narrowest_name = 12;
constexpr std::size_t widest_name = 32;

std::string rounded(double value, const char* unit) {
    std::array<char, 32> text{};
    const char* const form = value >= 100 || value == std::floor(value) ? "%.0f%s" : "%.1f%s";
    std::snprintf(text.data(), text.size(), form, value, unit);
    return text.data();
}

// 950, 12.3k, 4.5M: a figure that changes is not read to its last digit.
std::string short_count(std::int64_t count) {
    constexpr std::int64_t thousand = 1'000;
    const auto value = static_cast<double>(count);
    if (count < 10 * thousand) {
        return std::to_string(count);
    }
    return count < thousand * thousand ? rounded(value / 1e3, "k") : rounded(value / 1e6, "M");
}

std::string short_age(const std::optional<double>& seconds) {
    if (!seconds) {
        return "-";
    }
    if (*seconds < 1) {
        return rounded(std::floor(*seconds * 1000), "ms");
    }
    if (*seconds < 60) {
        return rounded(*seconds, "s");
    }
    if (*seconds < 3600) {
        return rounded(std::floor(*seconds / 60), "m");
    }
    return *seconds < 86'400 ? rounded(std::floor(*seconds / 3600), "h")
                             : rounded(std::floor(*seconds / 86'400), "d");
}

std::string left(std::string_view text, std::size_t width) {
    auto cell = fitted(text, width);
    const auto wide = display_width(cell);
    return cell + std::string(width - std::min(width, wide), ' ');
}

std::string right(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}

class painter {
   public:
    explicit painter(const top_view& how) noexcept : how_{how} {}

    // Cut first: an escape sequence has no width and must not be torn.
    [[nodiscard]] std::string line(std::string_view text, std::string_view color = {}) const {
        auto cell = fitted(text, how_.width);
        if (!how_.color || color.empty()) {
            return cell;
        }
        return std::string{color} + cell + std::string{plain};
    }

   private:
    const top_view& how_;
};

std::string totals_line(const top_frame& of) {
    std::int64_t ready = 0;
    std::int64_t running = 0;
    std::int64_t dead = 0;
    for (const auto& each : of.queues) {
        ready += each.ready;
        running += each.running;
        dead += each.dead;
    }
    const auto live = std::ranges::count_if(of.workers, &top_worker::live);
    std::string text = short_count(ready) + " ready, " + short_count(running) + " running, " +
                       short_count(dead) + " dead; workers " + std::to_string(live) + "/" +
                       std::to_string(of.workers.size());
    if (of.completed_per_second) {
        text += "; " + rounded(*of.completed_per_second, "/s") + " completed";
    }
    if (of.failed_per_second) {
        text += ", " + rounded(*of.failed_per_second, "/s") + " failed";
    }
    return text;
}

std::string status_line(const top_view& how) {
    if (how.typing) {
        return "filter: " + how.filter + "_   Enter keeps it, Esc drops it";
    }
    std::string text = "order " + std::string{to_string(how.order)};
    text += how.filter.empty() ? "" : "; filter " + how.filter;
    text += how.paused ? "; PAUSED (p goes on)" : "";
    return text + "; ? helps, q leaves";
}

std::size_t name_width(const std::vector<top_queue>& queues) {
    std::size_t width = narrowest_name;
    for (const auto& each : queues) {
        width = std::max(width, display_width(printable(each.name)));
    }
    return std::min(width, widest_name);
}

std::string queue_line(const top_queue& of, std::size_t width) {
    const auto rate = of.per_second ? rounded(*of.per_second, "/s") : std::string{"-"};
    const auto failed = of.failed_percent ? rounded(*of.failed_percent, "%") : std::string{"-"};
    return left(printable(of.name), width) + right(short_count(of.ready), 8) +
           right(short_count(of.scheduled), 8) + right(short_count(of.retrying), 8) +
           right(short_count(of.running), 8) + right(short_count(of.dead), 8) +
           right(short_age(of.oldest_seconds), 8) + right(rate, 8) + right(failed, 7) +
           (of.paused ? "  paused" : "") + (of.late ? "  late" : "");
}

std::string queue_heading(std::size_t width) {
    return left("QUEUE", width) + right("READY", 8) + right("SCHED", 8) + right("RETRY", 8) +
           right("RUN", 8) + right("DEAD", 8) + right("OLDEST", 8) + right("RATE", 8) +
           right("FAIL", 7);
}

// A minute of waiting is worth a look, ten are worth getting up for.
std::string_view queue_color(const top_queue& of) noexcept {
    constexpr double look = 60;
    constexpr double get_up = 600;
    const double oldest = of.oldest_seconds.value_or(0);
    const double failed = of.failed_percent.value_or(0);
    if (oldest >= get_up || failed >= 50) {
        return red;
    }
    return of.paused || of.late || oldest >= look || failed >= 10 ? yellow : std::string_view{};
}

std::vector<std::string> kind_lines(const top_frame& of, const painter& to) {
    std::vector<std::string> lines;
    if (!of.kinds.empty()) {
        lines.push_back(to.line("KINDS", bold));
    }
    for (std::size_t i = 0; i < std::min(most_kinds, of.kinds.size()); ++i) {
        const auto& each = of.kinds[i];
        lines.push_back(
            to.line(left(printable(each.name), widest_name) + "  " + printable(each.says),
                    each.bad ? red : std::string_view{}));
    }
    return lines;
}

std::vector<std::string> worker_lines(const top_frame& of, const painter& to) {
    std::vector<std::string> lines;
    if (!of.workers.empty()) {
        lines.push_back(
            to.line(left("WORKER", widest_name) + right("ACTIVE", 8) + "  STATE", bold));
    }
    for (std::size_t i = 0; i < std::min(most_workers, of.workers.size()); ++i) {
        const auto& each = of.workers[i];
        lines.push_back(to.line(
            left(printable(each.name), widest_name) + right(short_count(each.active), 8) + "  " +
                printable(each.live ? each.state : "no heartbeat") + "  " + printable(each.queues),
            each.live ? std::string_view{} : red));
    }
    if (of.workers.size() > most_workers) {
        lines.push_back(
            to.line("and " + std::to_string(of.workers.size() - most_workers) + " more"));
    }
    return lines;
}

// Both have a share of what little room there is; each is worst first.
std::vector<std::string> foot_lines(const top_frame& of, const painter& to, std::size_t room) {
    auto lines = kind_lines(of, to);
    auto workers = worker_lines(of, to);
    if (lines.size() + workers.size() > room) {
        lines.resize(
            std::min(lines.size(), std::max(room / 2, room - std::min(room, workers.size()))));
        workers.resize(std::min(workers.size(), room - lines.size()));
    }
    std::ranges::move(workers, std::back_inserter(lines));
    return lines;
}

std::vector<std::string> help_lines(const painter& to) {
    constexpr std::array<std::string_view, 11> text{
        "Keys of qctl top",
        "",
        "  q          leave",
        "  p          pause: the figures stay as they are",
        "  r          look now",
        "  s, S       next, previous order: worst name ready running dead oldest rate",
        "  /          only queues whose name contains what you type; Esc takes it back",
        "  arrows, j, k, PgUp, PgDn, Home   move through the queues",
        "  ?          this; any key goes back",
        "",
        "Worst first: paused with jobs waiting, then the longest wait, then what is dead.",
    };
    std::vector<std::string> lines;
    for (const auto each : text) {
        lines.push_back(to.line(each, lines.empty() ? bold : std::string_view{}));
    }
    return lines;
}

bool before(const top_queue& a, const top_queue& b, top_order order) {
    const auto by = [&](const auto& of) {
        return std::pair{of(b), of(a)};
    };
    switch (order) {
        case top_order::worst: {
            const auto badness = [](const top_queue& of) {
                return std::tuple{of.paused && of.ready > 0, of.late, of.oldest_seconds.value_or(0),
                                  of.dead, of.ready};
            };
            const auto [theirs, ours] = by(badness);
            return theirs != ours ? theirs < ours : a.name < b.name;
        }
        case top_order::name:
            return a.name < b.name;
        case top_order::ready:
            return std::tie(b.ready, a.name) < std::tie(a.ready, b.name);
        case top_order::running:
            return std::tie(b.running, a.name) < std::tie(a.running, b.name);
        case top_order::dead:
            return std::tie(b.dead, a.name) < std::tie(a.dead, b.name);
        case top_order::oldest:
            return std::tie(b.oldest_seconds, a.name) < std::tie(a.oldest_seconds, b.name);
        case top_order::rate:
            return std::tie(b.per_second, a.name) < std::tie(a.per_second, b.name);
    }
    return false;
}

class sequence {
   public:
    std::string_view bytes;
    top_key key;
};

// What terminals send; both forms of the arrows, as some keys depend on the cursor mode.
constexpr std::array sequences{
    sequence{"\x1b[A", top_key::up},       sequence{"\x1bOA", top_key::up},
    sequence{"\x1b[B", top_key::down},     sequence{"\x1bOB", top_key::down},
    sequence{"\x1b[5~", top_key::page_up}, sequence{"\x1b[6~", top_key::page_down},
    sequence{"\x1b[H", top_key::home},     sequence{"\x1bOH", top_key::home},
    sequence{"\x1b[1~", top_key::home},
};

constexpr std::array<std::pair<char, top_key>, 18> letters{{
    {'q', top_key::quit},
    {'Q', top_key::quit},
    {'\x03', top_key::interrupt},
    {'\x1a', top_key::suspend},
    {'p', top_key::pause},
    {' ', top_key::pause},
    {'s', top_key::next_order},
    {'S', top_key::previous_order},
    {'/', top_key::filter},
    {'k', top_key::up},
    {'j', top_key::down},
    {'r', top_key::refresh},
    {'?', top_key::help},
    {'h', top_key::help},
    {'\r', top_key::enter},
    {'\n', top_key::enter},
    {'\x7f', top_key::erase},
    {'\b', top_key::erase},
}};

// An escape sequence of ANSI to its final byte; npos while it is not there.
std::size_t sequence_end(const std::string& typed) {
    if (typed.size() < 2) {
        return std::string::npos;
    }
    if (typed[1] != '[' && typed[1] != 'O') {
        return 1;
    }
    for (std::size_t i = 2; i < typed.size(); ++i) {
        if (typed[i] >= '@' && typed[i] <= '~') {
            return i + 1;
        }
    }
    return std::string::npos;
}

void move_order(top_view& how, std::size_t steps) {
    const auto at = static_cast<std::size_t>(
        std::ranges::find(orders, how.order, &std::pair<std::string_view, top_order>::second) -
        orders.begin());
    how.order = orders[(at + steps) % orders.size()].second;
}

bool type_filter(top_view& how, const top_press& what) {
    if (!how.typing) {
        return false;
    }
    if (what.key == top_key::enter || what.key == top_key::escape) {
        how.typing = false;
        how.filter = what.key == top_key::escape ? std::string{} : how.filter;
    } else if (what.key == top_key::erase) {
        while (!how.filter.empty()) {
            const bool more = (static_cast<unsigned char>(how.filter.back()) & 0xC0U) == 0x80U;
            how.filter.pop_back();
            if (!more) {
                break;
            }
        }
    } else {
        how.filter += what.text;
    }
    how.scrolled = 0;
    return true;
}

}  // namespace

std::string_view to_string(top_order order) noexcept {
    for (const auto& [name, each] : orders) {
        if (each == order) {
            return name;
        }
    }
    return "worst";
}

std::optional<top_order> parse_top_order(std::string_view text) noexcept {
    for (const auto& [name, each] : orders) {
        if (name == text) {
            return each;
        }
    }
    return std::nullopt;
}

std::vector<top_queue> shown_queues(const top_frame& of, const top_view& how) {
    std::vector<top_queue> shown;
    for (const auto& each : of.queues) {
        if (each.name.find(how.filter) != std::string::npos) {
            shown.push_back(each);
        }
    }
    std::ranges::sort(
        shown, [&](const top_queue& a, const top_queue& b) { return before(a, b, how.order); });
    return shown;
}

std::vector<std::string> top_lines(const top_frame& of, const top_view& how) {
    const painter to{how};
    if (how.help) {
        return help_lines(to);
    }
    std::vector<std::string> lines;
    lines.push_back(to.line("qctl top  " + printable(of.place) + "  " + iso_instant(of.at), bold));
    lines.push_back(
        to.line(of.problem.empty() ? totals_line(of) : "no answer: " + printable(of.problem),
                of.problem.empty() ? std::string_view{} : red));
    if (how.height > 0) {
        lines.push_back(to.line(status_line(how), how.paused ? yellow : std::string_view{}));
    }
    const auto queues = shown_queues(of, how);
    const auto width = name_width(queues);
    lines.push_back(to.line(queue_heading(width), inverse));
    std::size_t room = queues.size();
    std::size_t below = most_kinds + most_workers + 3;
    if (how.height > 0) {
        // Queues come first; below them whatever there is room for, but for a third of the screen.
        const auto free = how.height - std::min(how.height, lines.size());
        const auto kept = std::min(below, free / 3);
        room = std::min(queues.size(), free - kept);
        below = std::min(below, free - room);
    }
    const auto foot = foot_lines(of, to, below);
    const auto first = std::min(how.scrolled, queues.size() - std::min(queues.size(), room));
    for (std::size_t i = first; i < std::min(queues.size(), first + room); ++i) {
        lines.push_back(to.line(queue_line(queues[i], width), queue_color(queues[i])));
    }
    lines.insert(lines.end(), foot.begin(), foot.end());
    if (how.height > 0 && lines.size() > how.height) {
        lines.resize(how.height);
    }
    return lines;
}

top_press read_key(std::string& typed, bool all) {
    top_press press;
    if (typed.empty()) {
        return press;
    }
    if (typed[0] == '\x1b') {
        auto end = sequence_end(typed);
        if (end == std::string::npos) {
            if (!all) {
                return press;
            }
            end = typed.size();
        }
        const auto bytes = std::string_view{typed}.substr(0, end);
        for (const auto& each : sequences) {
            press.key = each.bytes == bytes ? each.key : press.key;
        }
        press.key = end == 1 || typed.size() == 1 ? top_key::escape : press.key;
        typed.erase(0, end);
        return press;
    }
    const auto byte = static_cast<unsigned char>(typed[0]);
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    press.text = typed.substr(0, length);
    typed.erase(0, length);
    press.key = top_key::text;
    for (const auto& [letter, key] : letters) {
        press.key = press.text.size() == 1 && press.text[0] == letter ? key : press.key;
    }
    if (byte < 0x20 || byte == 0x7f || invalid_utf8_at(press.text)) {
        press.text.clear();
    }
    return press;
}

void press(top_view& how, const top_press& what, std::size_t queues) {
    if (how.help) {
        how.help = false;
        return;
    }
    if (type_filter(how, what)) {
        return;
    }
    const std::size_t page = how.height / 2 + 1;
    const auto by = [&](std::size_t steps, bool down) {
        how.scrolled = down ? std::min(how.scrolled + steps, queues == 0 ? 0 : queues - 1)
                            : how.scrolled - std::min(how.scrolled, steps);
    };
    switch (what.key) {
        case top_key::pause:
            how.paused = !how.paused;
            break;
        case top_key::next_order:
            move_order(how, 1);
            break;
        case top_key::previous_order:
            move_order(how, orders.size() - 1);
            break;
        case top_key::filter:
            how.typing = true;
            break;
        case top_key::up:
        case top_key::down:
            by(1, what.key == top_key::down);
            break;
        case top_key::page_up:
        case top_key::page_down:
            by(page, what.key == top_key::page_down);
            break;
        case top_key::home:
            how.scrolled = 0;
            break;
        case top_key::help:
            how.help = true;
            break;
        case top_key::escape:
            how.filter.clear();
            break;
        case top_key::none:
        case top_key::quit:
        case top_key::interrupt:
        case top_key::suspend:
        case top_key::refresh:
        case top_key::enter:
        case top_key::erase:
        case top_key::text:
            break;
    }
}

}  // namespace qctl
