#include "progress.hpp"

#include "console.hpp"

#include <libqueue/duration.hpp>

#include <algorithm>
#include <utility>

namespace qctl {

std::string progress_text(const std::string& doing, std::int64_t done, std::int64_t total,
                          std::chrono::duration<double> spent) {
    constexpr std::int64_t cells = 20;
    std::string text = doing + " ";
    const std::int64_t capped = std::clamp<std::int64_t>(done, 0, std::max<std::int64_t>(total, 0));
    if (total > 0) {
        const auto full = static_cast<std::size_t>(
            static_cast<double>(capped) / static_cast<double>(total) * static_cast<double>(cells));
        text += '[' + std::string(full, '#') + std::string(cells - full, '.') + "] ";
    }
    text += std::to_string(done);
    if (total > 0) {
        const double share = static_cast<double>(capped) / static_cast<double>(total);
        text +=
            '/' + std::to_string(total) + ' ' + std::to_string(static_cast<int>(share * 100)) + '%';
    }
    if (spent.count() <= 0 || done <= 0) {
        return text;
    }
    const double rate = static_cast<double>(done) / spent.count();
    text += ' ' + std::to_string(static_cast<std::int64_t>(rate)) + "/s";
    if (total > 0) {
        const std::chrono::seconds left{
            static_cast<std::int64_t>(static_cast<double>(total - capped) / rate)};
        text += " ETA " + libqueue::format_duration(left);
    }
    return text;
}

progress_bar::progress_bar(const settings& options, std::string doing)
    : doing_{std::move(doing)},
      visible_{options.err_is_terminal && !options.quiet},
      started_{std::chrono::steady_clock::now()},
      // Work that is over in a moment needs no bar.
      next_{started_ + std::chrono::milliseconds{300}} {}

progress_bar::~progress_bar() {
    if (drawn_) {
        write_message("\r\x1b[K");
    }
}

void progress_bar::update(std::int64_t done, std::int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!visible_ || now < next_) {
        return;
    }
    next_ = now + std::chrono::milliseconds{100};
    drawn_ = true;
    write_message("\r" + progress_text(doing_, done, total, now - started_) + "\x1b[K");
}

}  // namespace qctl
