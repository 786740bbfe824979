#include "store/observation_store.hpp"

#include "pg/schema_name.hpp"
#include "store/arguments.hpp"
#include "store/sql_text.hpp"

#include <sql/acknowledge_alert.hpp>
#include <sql/canary_queues.hpp>
#include <sql/count_failures.hpp>
#include <sql/database_time.hpp>
#include <sql/health_detail.hpp>
#include <sql/hold_duty.hpp>
#include <sql/list_alerts.hpp>
#include <sql/list_untold_alerts.hpp>
#include <sql/note_alert_told.hpp>
#include <sql/observe_gauges.hpp>
#include <sql/put_levels.hpp>
#include <sql/put_samples.hpp>
#include <sql/sample_series.hpp>
#include <sql/update_alerts.hpp>

#include <span>

namespace libqueue::store {
namespace {

constexpr int untold_most{100};

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

}  // namespace

bool hold_duty(const session& with, std::string_view duty, std::string_view holder,
               std::chrono::milliseconds hold_for) {
    pg::params to;
    add_text(to, "duty", duty);
    add_text(to, "holder", holder);
    to.text(std::to_string(static_cast<double>(hold_for.count()) / 1000.0));
    return run(with, sql::hold_duty, to).text(0, 0) == "t";
}

pg::result observe_gauges(const session& with) {
    return run(with, sql::observe_gauges, {});
}

pg::result count_failures(const session& with, std::chrono::minutes within) {
    pg::params to;
    to.number(within.count());
    return run(with, sql::count_failures, to);
}

pg::result canary_queues(const session& with, std::string_view kind) {
    pg::params to;
    add_text(to, "kind", kind);
    return run(with, sql::canary_queues, to);
}

pg::result health_detail(const session& with) {
    return run(with, sql::health_detail, {});
}

double database_time(const session& with) {
    return std::stod(std::string{run(with, sql::database_time, {}).text(0, 0)});
}

void put_samples(const session& with, const std::string& json) {
    pg::params to;
    add_json(to, json);
    run(with, sql::put_samples, to);
}

void put_levels(const session& with, const std::string& json) {
    pg::params to;
    add_json(to, json);
    run(with, sql::put_levels, to);
}

pg::result sample_series(const session& with, const series_request& wanted) {
    pg::params to;
    add_text(to, "metric", std::string_view{wanted.metric});
    add_text(to, "queue", wanted.queue);
    to.text(time_text(wanted.from));
    to.text(time_text(wanted.to));
    to.number(wanted.step.count());
    return run(with, sql::sample_series, to);
}

pg::result list_alerts(const session& with, const alert_filter& filter) {
    pg::params to;
    to.boolean(filter.only_open);
    add_text(to, "rule", filter.rule);
    add_text(to, "severity", filter.severity);
    add_number(to, filter.before);
    add_limit(to, filter.limit);
    return run(with, sql::list_alerts, to);
}

pg::result acknowledge_alert(const session& with, std::int64_t id, std::string_view by_whom,
                             const std::optional<std::string>& note) {
    pg::params to;
    to.number(id);
    add_text(to, "by_whom", by_whom);
    add_text(to, "note", note);
    return run(with, sql::acknowledge_alert, to);
}

pg::result update_alerts(const session& with, const std::string& firing, const alert_ends& ends) {
    pg::params to;
    add_json(to, firing);
    to.text(std::to_string(static_cast<double>(ends.after.count()) / 1000.0));
    ends.channels.empty() ? to.null() : to.text_array(std::span{ends.channels});
    return run(with, sql::update_alerts, to);
}

pg::result list_untold_alerts(const session& with) {
    pg::params to;
    to.number(untold_most);
    return run(with, sql::list_untold_alerts, to);
}

void note_alert_told(const session& with, std::int64_t id, std::string_view channel, bool told,
                     bool is_end) {
    pg::params to;
    to.number(id);
    add_text(to, "channel", channel);
    to.boolean(told);
    to.boolean(is_end);
    run(with, sql::note_alert_told, to);
}

}  // namespace libqueue::store
