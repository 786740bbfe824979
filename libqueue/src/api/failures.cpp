#include "api/asked.hpp"
#include "api/found_page.hpp"
#include "api/report.hpp"
#include "store/search_store.hpp"

#include <libqueue/failures.hpp>

#include <chrono>

namespace libqueue {
namespace {

constexpr int buckets{24};

}  // namespace

result<found_page> failures::find(const filter& which, const std::optional<std::string>& behind,
                                  int limit) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_page(
            api::make_report(store::find_dead_letters(with, which, behind, limit)),
            static_cast<std::size_t>(limit));
    });
}

result<report> failures::show(job_id id) {
    return api::asked(client_, [&](const store::session& with) {
        dead_letter_filter one;
        one.ids = {id};
        report letter = api::make_report(store::list_dead_letters(with, one));
        if (letter.rows.empty()) {
            throw domain_failure{error{errc::not_found, "no dead letter " + std::to_string(id)}};
        }
        return letter;
    });
}

result<report> failures::groups(const filter& which, std::chrono::seconds window, int limit) {
    constexpr std::chrono::seconds window_max = std::chrono::hours{24 * 366};
    if (window < std::chrono::seconds{buckets} || window > window_max) {
        return error{errc::invalid_argument, "window: expected 24 s to 366 days, got " +
                                                 std::to_string(window.count()) + " s"};
    }
    const auto since = std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now() - window);
    return api::asked(client_, [&](const store::session& with) {
        return api::make_report(store::list_failure_groups(with, which, since, buckets, limit));
    });
}

result<void> failures::note_group(std::string_view fingerprint,
                                  const std::optional<std::string>& note, bool muted) {
    return api::asked(client_, [&](const store::session& with) {
        store::note_failure_group(with, fingerprint, note, muted);
    });
}

}  // namespace libqueue
