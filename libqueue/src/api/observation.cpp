#include "api/asked.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/observation_store.hpp"

#include <libqueue/alerts.hpp>
#include <libqueue/observation.hpp>
#include <libqueue/samples.hpp>

namespace libqueue {
bool observation::hold_duty(std::string_view duty, std::string_view holder,
                            std::chrono::milliseconds hold_for) {
    return api::on_connection(client_, [&](const store::session& with) {
        return store::hold_duty(with, duty, holder, hold_for);
    });
}

report observation::gauges() {
    return api::on_connection(client_, [](const store::session& with) {
        return api::make_report(store::observe_gauges(with));
    });
}

report observation::failures(std::chrono::minutes within) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::count_failures(with, within));
    });
}

report observation::health() {
    return api::on_connection(client_, [](const store::session& with) {
        return api::make_report(store::health_detail(with));
    });
}

std::vector<std::string> observation::queues_handling(std::string_view kind) {
    return api::on_connection(client_, [&](const store::session& with) {
        const pg::result found = store::canary_queues(with, kind);
        std::vector<std::string> queues;
        for (int row = 0; row < found.rows(); ++row) {
            queues.emplace_back(found.text(row, 0));
        }
        return queues;
    });
}

void observation::put_levels(const std::string& json) {
    api::on_connection(client_, [&](const store::session& with) { store::put_levels(with, json); });
}

std::chrono::milliseconds observation::clock_offset() {
    using seconds = std::chrono::duration<double>;
    const auto before = std::chrono::system_clock::now();
    const double there = api::on_connection(
        client_, [](const store::session& with) { return store::database_time(with); });
    const auto after = std::chrono::system_clock::now();
    const seconds middle = (before + (after - before) / 2).time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(seconds{there} - middle);
}

result<report> samples::series(const series_request& wanted) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_report(store::sample_series(with, wanted));
    });
}

void samples::put(const std::string& json) {
    api::on_connection(client_,
                       [&](const store::session& with) { store::put_samples(with, json); });
}

report alerts::list(const alert_filter& filter) {
    return api::on_connection(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_alerts(with, filter));
        if (page.rows.size() == static_cast<std::size_t>(filter.limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

result<report> alerts::acknowledge(std::int64_t id, std::string_view by_whom,
                                   std::optional<std::string> note) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_report(store::acknowledge_alert(with, id, by_whom, note));
    });
}

report alerts::update(const std::string& firing, const alert_ends& ends) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::update_alerts(with, firing, ends));
    });
}

report alerts::untold() {
    return api::on_connection(client_, [](const store::session& with) {
        return api::make_report(store::list_untold_alerts(with));
    });
}

void alerts::note_told(std::int64_t id, std::string_view channel, bool told, bool is_end) {
    api::on_connection(client_, [&](const store::session& with) {
        store::note_alert_told(with, id, channel, told, is_end);
    });
}

}  // namespace libqueue
