#include "processors/analytics/event_time.hpp"

#include <chrono>

namespace libqueue::processors::analytics {

namespace {

/// Reads a text from front to back; once something is not there, nothing is any more.
class reader {
   public:
    explicit reader(std::string_view text) noexcept : rest_{text} {}

    int digits(std::size_t count) noexcept {
        int value = 0;
        for (std::size_t at = 0; at < count; ++at) {
            if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
                good_ = false;
                return 0;
            }
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }

    bool take(std::string_view any_of) noexcept {
        if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    void need(std::string_view any_of) noexcept { good_ = take(any_of) && good_; }

    int microseconds() noexcept {
        int value = 0;
        int count = 0;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count) {
            if (count < 6) {
                value = value * 10 + (rest_.front() - '0');
            }
            rest_.remove_prefix(1);
        }
        good_ = good_ && count >= 1 && count <= 9;
        for (; count < 6; ++count) {
            value *= 10;
        }
        return value;
    }

    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

   private:
    std::string_view rest_;
    bool good_{true};
};

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) noexcept {
    reader from{text};
    const int year = from.digits(4);
    from.need("-");
    const auto month = static_cast<unsigned>(from.digits(2));
    from.need("-");
    const auto day = static_cast<unsigned>(from.digits(2));
    from.need("Tt ");
    const int hour = from.digits(2);
    from.need(":");
    const int minute = from.digits(2);
    from.need(":");
    const int second = from.digits(2);
    const int fraction = from.take(".") ? from.microseconds() : 0;
    int offset = 0;
    if (!from.take("Zz")) {
        const bool west = from.take("-");
        if (!west) {
            from.need("+");
        }
        const int hours = from.digits(2);
        from.need(":");
        const int minutes = from.digits(2);
        if (hours > 23 || minutes > 59) {
            return std::nullopt;
        }
        offset = (west ? -1 : 1) * (hours * 60 + minutes);
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{day}};
    if (!from.good() || !from.at_end() || !date.ok() || year < 1970 || hour > 23 || minute > 59 ||
        second > 60) {
        return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    const std::int64_t seconds =
        ((days * 24 + hour) * 60 + minute - offset) * std::int64_t{60} + second;
    if (seconds < 0) {
        return std::nullopt;
    }
    return seconds * 1'000'000 + fraction;
}

}  // namespace libqueue::processors::analytics
