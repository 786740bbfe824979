#include "store/topic_store.hpp"

#include "pg/schema_name.hpp"
#include "store/arguments.hpp"

#include <sql/forget_unrouted.hpp>
#include <sql/list_subscribers.hpp>
#include <sql/list_subscriptions.hpp>
#include <sql/list_unrouted.hpp>
#include <sql/publish_event.hpp>
#include <sql/remove_subscription.hpp>
#include <sql/remove_subscription_of.hpp>
#include <sql/set_subscription.hpp>

#include <chrono>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

void add_delay(pg::params& to, const std::optional<std::chrono::milliseconds>& delay) {
    if (delay) {
        to.text(std::to_string(delay->count()) + " milliseconds");
    } else {
        to.null();
    }
}

}  // namespace

int publish_event(const session& with, const new_event& event) {
    pg::params to;
    add_text(to, "topic", std::string_view{event.topic});
    add_json(to, event.payload);
    add_tenant(to, event.tenant_id);
    add_delay(to, event.delay);
    if (event.meta.empty()) {
        to.null();
    } else {
        if (auto meta = core::json_object_storable(event.meta, "meta"); meta.has_error()) {
            refuse(meta.error().message);
        }
        to.text(event.meta);
    }
    add_text(to, "idempotency_key", event.idempotency_key);
    return static_cast<int>(run(with, sql::publish_event, to).int64(0, 0));
}

std::int64_t set_subscription(const session& with, const new_subscription& wanted) {
    pg::params to;
    add_text(to, "pattern", std::string_view{wanted.pattern});
    add_text(to, "kind", std::string_view{wanted.kind});
    add_text(to, "queue", wanted.queue);
    add_number(to, wanted.priority);
    add_text(to, "filter", wanted.filter);
    add_tenant(to, wanted.tenant_id);
    add_delay(to, wanted.delay);
    add_number(to, wanted.max_attempts);
    add_text(to, "ordering_key_path", wanted.ordering_key_path);
    return run(with, sql::set_subscription, to).int64(0, 0);
}

bool remove_subscription(const session& with, std::int64_t id) {
    pg::params to;
    to.number(id);
    return run(with, sql::remove_subscription, to).boolean(0, 0);
}

bool remove_subscription_of(const session& with, std::string_view pattern, std::string_view kind,
                            const std::optional<std::string>& tenant_id) {
    pg::params to;
    add_text(to, "pattern", pattern);
    add_text(to, "kind", kind);
    add_tenant(to, tenant_id);
    return run(with, sql::remove_subscription_of, to).boolean(0, 0);
}

pg::result list_subscriptions(const session& with, const subscription_filter& filter) {
    pg::params to;
    add_text(to, "pattern", filter.pattern);
    add_text(to, "kind", filter.kind);
    add_tenant(to, filter.tenant_id);
    add_number(to, filter.after);
    add_limit(to, filter.limit);
    return run(with, sql::list_subscriptions, to);
}

pg::result list_subscribers(const session& with, const new_event& event) {
    pg::params to;
    add_text(to, "topic", std::string_view{event.topic});
    add_json(to, event.payload);
    add_tenant(to, event.tenant_id);
    return run(with, sql::list_subscribers, to);
}

pg::result list_unrouted(const session& with, int limit) {
    pg::params to;
    add_limit(to, limit);
    return run(with, sql::list_unrouted, to);
}

std::int64_t forget_unrouted(const session& with, const std::optional<std::string>& topic) {
    pg::params to;
    add_text(to, "topic", topic);
    return run(with, sql::forget_unrouted, to).int64(0, 0);
}

}  // namespace libqueue::store
