#include "api/asked.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/topic_store.hpp"

#include <libqueue/topics.hpp>

namespace libqueue {
result<int> topics::publish(const new_event& event) {
    return api::asked(
        client_, [&](const store::session& with) { return store::publish_event(with, event); });
}

result<std::int64_t> topics::subscribe(const new_subscription& wanted) {
    return api::asked(
        client_, [&](const store::session& with) { return store::set_subscription(with, wanted); });
}

result<bool> topics::unsubscribe(std::int64_t id) {
    return api::asked(
        client_, [&](const store::session& with) { return store::remove_subscription(with, id); });
}

result<bool> topics::unsubscribe(std::string_view pattern, std::string_view kind,
                                 const std::optional<std::string>& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        return store::remove_subscription_of(with, pattern, kind, tenant_id);
    });
}

report topics::list(const subscription_filter& filter) {
    return api::on_connection(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_subscriptions(with, filter));
        if (page.rows.size() == static_cast<std::size_t>(filter.limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

result<report> topics::subscribers(const new_event& event) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_report(store::list_subscribers(with, event));
    });
}

report topics::unrouted(int limit) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_unrouted(with, limit));
    });
}

result<std::int64_t> topics::forget_unrouted(const std::optional<std::string>& topic) {
    return api::asked(
        client_, [&](const store::session& with) { return store::forget_unrouted(with, topic); });
}

}  // namespace libqueue
