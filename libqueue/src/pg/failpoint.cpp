#include "pg/failpoint.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

namespace libqueue::pg {
namespace {

/// What can be made to happen at a place, beside what concerns the process alone.
enum class reaches : std::uint8_t { process, connection, statement };

struct place {
    std::string_view name;
    reaches what;
};

// In the order of the enumeration.
constexpr std::array places{
    place{"answer.awaited", reaches::connection},
    place{"claim.after_commit", reaches::connection},
    place{"claim.before_commit", reaches::statement},
    place{"dead_letter.after_commit", reaches::connection},
    place{"dead_letter.before_commit", reaches::statement},
    place{"enqueue.after_commit", reaches::connection},
    place{"enqueue.before_commit", reaches::statement},
    place{"finish.after_commit", reaches::connection},
    place{"finish.before_commit", reaches::statement},
    place{"heartbeat.after_commit", reaches::connection},
    place{"heartbeat.before_commit", reaches::statement},
    place{"leave.before_commit", reaches::statement},
    place{"register.after_commit", reaches::connection},
    place{"register.before_commit", reaches::statement},
    place{"rescue.after_commit", reaches::connection},
    place{"rescue.before_commit", reaches::statement},
    place{"rescue.locked", reaches::statement},
    place{"return.after_commit", reaches::connection},
    place{"return.before_commit", reaches::statement},
    place{"run.after", reaches::process},
    place{"run.before", reaches::process},
};
static_assert(places.size() == static_cast<std::size_t>(failpoint::run_before) + 1);

constexpr auto names = [] {
    std::array<std::string_view, places.size()> all;
    for (std::size_t at = 0; at < places.size(); ++at) {
        all[at] = places[at].name;
    }
    return all;
}();
static_assert(std::is_sorted(names.begin(), names.end()));

enum class action : std::uint8_t { kill, stop, exit, delay, cut, error };

constexpr std::array<std::pair<std::string_view, action>, 6> actions{{{"kill", action::kill},
                                                                      {"stop", action::stop},
                                                                      {"exit", action::exit},
                                                                      {"delay", action::delay},
                                                                      {"cut", action::cut},
                                                                      {"error", action::error}}};

constexpr int exit_code{86};
constexpr std::int64_t delay_max_ms{60'000};

/// One rule at most for each place.
struct rule {
    std::string_view action_name;
    action what{action::kill};
    std::int64_t nth{0};  // 0: none
    bool every{false};
    std::int64_t delay_ms{0};
    std::atomic<std::int64_t> passes{0};
};

// Written once, before any other thread passes here.
std::array<rule, places.size()> rules;

/// By hand: the process may be about to end, and stdio would not.
void announce(std::string_view name, std::string_view what) noexcept {
    std::array<char, 160> line{};
    std::size_t length = 0;
    for (const std::string_view part :
         {std::string_view{R"({"event":"failpoint","failpoint":")"}, name,
          std::string_view{R"(","action":")"}, what, std::string_view{"\"}\n"}}) {
        length += part.copy(line.data() + length, line.size() - length);
    }
    const auto written = ::write(STDERR_FILENO, line.data(), length);
    static_cast<void>(written);  // nobody is left to tell
}

struct parsed {
    std::size_t place{0};
    std::string_view action_name;
    action what{action::kill};
    std::int64_t nth{1};
    bool every{false};
    std::int64_t delay_ms{0};
};

std::optional<std::int64_t> read_number(std::string_view text, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || value < 1 || value > most) {
        return std::nullopt;
    }
    return value;
}

std::string all_names() {
    std::string text;
    for (const std::string_view name : names) {
        text += (text.empty() ? "" : ", ") + std::string{name};
    }
    return text;
}

error refused(std::string_view rule_text, const std::string& expected) {
    return error{errc::invalid_argument,
                 "failpoints: expected " + expected + ", got '" + std::string{rule_text} + "'",
                 "write name=kill|stop|exit|cut|error|delay:milliseconds, then @n or %n; rules are "
                 "separated by ;"};
}

libqueue::result<parsed> parse_rule(std::string_view text) {
    parsed made;
    const auto equals = text.find('=');
    const auto name = std::find(names.begin(), names.end(), text.substr(0, equals));
    if (equals == std::string_view::npos || name == names.end()) {
        return refused(text, "name=action with one of the names " + all_names());
    }
    made.place = static_cast<std::size_t>(name - names.begin());
    std::string_view rest = text.substr(equals + 1);
    if (const auto mark = rest.find_first_of("@%"); mark != std::string_view::npos) {
        const auto nth = read_number(rest.substr(mark + 1), 1'000'000'000);
        if (!nth) {
            return refused(text, "a whole number from 1 after @ or %");
        }
        made.nth = *nth;
        made.every = rest[mark] == '%';
        rest = rest.substr(0, mark);
    }
    const auto colon = rest.find(':');
    const auto known = std::find_if(actions.begin(), actions.end(), [&](const auto& each) {
        return each.first == rest.substr(0, colon);
    });
    if (known == actions.end()) {
        return refused(text, "one of the actions kill, stop, exit, cut, error, delay:milliseconds");
    }
    made.action_name = known->first;
    made.what = known->second;
    if ((colon != std::string_view::npos) != (made.what == action::delay)) {
        return refused(text, "a number of milliseconds after delay: and after nothing else");
    }
    if (made.what == action::delay) {
        const auto ms = read_number(rest.substr(colon + 1), delay_max_ms);
        if (!ms) {
            return refused(text, "1 to 60000 milliseconds after delay:");
        }
        made.delay_ms = *ms;
    }
    const reaches what = places[made.place].what;
    if ((made.what == action::cut && what == reaches::process) ||
        (made.what == action::error && what != reaches::statement)) {
        return refused(text, "an action that " + std::string{*name} + " has a " +
                                 (made.what == action::cut ? "connection" : "transaction") +
                                 " for");
    }
    return made;
}

}  // namespace

std::span<const std::string_view> failpoint_names() noexcept {
    return names;
}

libqueue::result<std::vector<std::string>> arm_failpoints(std::string_view text) {
    std::vector<parsed> all;
    std::vector<std::string> said;
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        if (const std::string_view one = text.substr(0, end); !one.empty()) {
            auto made = parse_rule(one);
            if (made.has_error()) {
                return made.error();
            }
            all.push_back(*made);
            said.emplace_back(one);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (const parsed& each : all) {
        rule& to = rules[each.place];
        to.action_name = each.action_name;
        to.what = each.what;
        to.nth = each.nth;
        to.every = each.every;
        to.delay_ms = each.delay_ms;
    }
    detail::failpoints_armed.store(!all.empty());
    return said;
}

injected detail::reach(failpoint at) noexcept {
    const auto index = static_cast<std::size_t>(at);
    rule& here = rules[index];
    if (here.nth == 0) {
        return injected::nothing;
    }
    const std::int64_t pass = here.passes.fetch_add(1, std::memory_order_relaxed) + 1;
    if (here.every ? pass % here.nth != 0 : pass != here.nth) {
        return injected::nothing;
    }
    announce(names[index], here.action_name);
    switch (here.what) {
        case action::kill:
            ::kill(::getpid(), SIGKILL);
            break;
        case action::stop:
            ::kill(::getpid(), SIGSTOP);
            break;
        case action::exit:
            ::_exit(exit_code);
        case action::delay:
            // Blocks the thread, a worker's whole loop: that is the fault.
            std::this_thread::sleep_for(std::chrono::milliseconds{here.delay_ms});
            break;
        case action::cut:
            return injected::cut;
        case action::error:
            return injected::error;
    }
    return injected::nothing;
}

}  // namespace libqueue::pg
