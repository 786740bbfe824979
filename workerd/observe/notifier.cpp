#include "observe/notifier.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <utility>

namespace workerd::observe {

namespace {

using namespace std::chrono_literals;

/// A channel begins no further notice after so long: what came of the first ones is to be noted.
constexpr auto round_time = 10s;

notice notice_of(const std::vector<std::optional<std::string>>& row) {
    const auto text = [&row](std::size_t column) {
        return row.at(column).value_or("");
    };
    notice made;
    made.id = std::strtoll(text(0).c_str(), nullptr, 10);
    made.rule = text(1);
    made.subject = text(2);
    made.severity = text(3);
    made.summary = text(4);
    made.value = text(5);
    made.threshold = text(6);
    made.raised_at = text(7);
    made.number = static_cast<int>(std::strtol(text(9).c_str(), nullptr, 10));
    made.resolved_at = text(10);
    return made;
}

}  // namespace

notifier::~notifier() {
    stop();
    under_way_.clear();
}

void notifier::tell_untold(libqueue::alerts& from) {
    if (!tell_ || stopping_)
        return;
    paused_ = false;
    std::map<std::string, std::vector<notice>> by_channel;
    for (const auto& row : from.untold().rows) {
        const std::string channel = row.at(8).value_or("");
        if (!under_way_.contains(channel))
            by_channel[channel].push_back(notice_of(row));
    }
    for (auto& each : by_channel) {
        std::stable_partition(each.second.begin(), each.second.end(),
                              [](const notice& what) { return what.severity == "critical"; });
        under_way_[each.first] =
            std::async(std::launch::async,
                       [this, channel = each.first, what = std::move(each.second)]() mutable {
                           return tell_all(channel, std::move(what));
                       });
    }
}

std::vector<notifier::outcome> notifier::tell_all(const std::string& channel,
                                                  std::vector<notice> what) const {
    const auto until = std::chrono::steady_clock::now() + round_time;
    std::vector<outcome> all;
    for (auto& each : what) {
        if (stopping_ || paused_ || std::chrono::steady_clock::now() >= until)
            break;
        outcome& came_of_it = all.emplace_back(std::move(each));
        try {
            came_of_it.told = tell_(came_of_it.what, channel);
        } catch (const std::exception&) {
            // Not told: tried again at the next look.
        }
    }
    return all;
}

void notifier::note_told(libqueue::alerts& into) {
    for (auto each = under_way_.begin(); each != under_way_.end();) {
        if (each->second.wait_for(0s) != std::future_status::ready) {
            ++each;
            continue;
        }
        const std::string channel = each->first;
        const auto all = each->second.get();
        each = under_way_.erase(each);
        for (const auto& came_of_it : all)
            note(into, channel, came_of_it);
    }
}

void notifier::finish(libqueue::alerts& into) {
    stop();
    for (const auto& [channel, telling] : under_way_)
        telling.wait();
    note_told(into);
}

void notifier::note(libqueue::alerts& into, const std::string& channel, const outcome& came_of_it) {
    const auto& what = came_of_it.what;
    into.note_told(what.id, channel, came_of_it.told, what.is_over());
    if (came_of_it.told)
        counted_.add(what.is_over() ? "libqueue_alert_ends_sent_total" : "alerts_sent_total",
                     {{"channel", channel}, {"severity", what.severity}});
    else
        log_.warn("alert_not_sent", "a channel did not take the notice of an alert",
                  {{"alert", what.id}, {"channel", channel}});
}

}  // namespace workerd::observe
