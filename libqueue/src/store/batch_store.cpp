#include "store/batch_store.hpp"

#include "pg/schema_name.hpp"
#include "store/arguments.hpp"

#include <sql/cancel_batch.hpp>
#include <sql/count_batch.hpp>
#include <sql/create_batch.hpp>
#include <sql/list_batch_items.hpp>
#include <sql/list_batches.hpp>
#include <sql/seal_batch.hpp>
#include <sql/show_batch.hpp>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

[[nodiscard]] pg::params one(std::int64_t batch) {
    pg::params to;
    to.number(batch);
    return to;
}

}  // namespace

std::int64_t create_batch(const session& with, const new_batch& wanted) {
    pg::params to;
    if (wanted.name.empty()) {
        to.null();
    } else {
        add_text(to, "name", std::string_view{wanted.name});
    }
    add_text(to, "on_success", wanted.success);
    add_text(to, "on_failure", wanted.failure);
    add_text(to, "on_finish", wanted.finish);
    add_json(to, wanted.payload);
    add_text(to, "callback_queue", wanted.callback_queue);
    add_number(to, wanted.callback_priority);
    add_tenant(to, wanted.tenant_id);
    to.text(std::to_string(wanted.retention.count()) + " seconds");
    return run(with, sql::create_batch, to).int64(0, 0);
}

void seal_batch(const session& with, std::int64_t batch) {
    run(with, sql::seal_batch, one(batch));
}

batch_cancelled cancel_batch(const session& with, std::int64_t batch,
                             const std::optional<std::string>& reason) {
    pg::params to = one(batch);
    add_text(to, "reason", reason);
    const pg::result row = run(with, sql::cancel_batch, to);
    batch_cancelled done;
    done.cancelled = row.int64(0, 0);
    done.asked = row.int64(0, 1);
    done.finished = row.boolean(0, 2);
    return done;
}

std::optional<batch_counts> count_batch(const session& with, std::int64_t batch) {
    const pg::result row = run(with, sql::count_batch, one(batch));
    if (row.rows() == 0) {
        return std::nullopt;
    }
    batch_counts counts;
    counts.state = parse_batch_state(row.text(0, 0)).value();
    counts.total = row.int64(0, 1);
    counts.succeeded = row.int64(0, 2);
    counts.failed = row.int64(0, 3);
    counts.cancelled = row.int64(0, 4);
    counts.sealed = row.boolean(0, 5);
    counts.finished = row.boolean(0, 6);
    return counts;
}

pg::result list_batches(const session& with, const batch_filter& filter) {
    pg::params to;
    add_text(to, "name", filter.name);
    add_tenant(to, filter.tenant_id);
    to.text(filter.unfinished_only ? "true" : "false");
    add_number(to, filter.before);
    add_limit(to, filter.limit);
    return run(with, sql::list_batches, to);
}

pg::result show_batch(const session& with, std::int64_t batch) {
    return run(with, sql::show_batch, one(batch));
}

pg::result list_batch_items(const session& with, std::int64_t batch,
                            const batch_item_filter& filter) {
    pg::params to = one(batch);
    if (filter.state) {
        to.text(to_string(*filter.state));
    } else {
        to.null();
    }
    add_number(to, filter.after);
    add_limit(to, filter.limit);
    return run(with, sql::list_batch_items, to);
}

}  // namespace libqueue::store
