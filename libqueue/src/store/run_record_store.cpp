#include "store/run_record_store.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "pg/schema_name.hpp"

#include <sql/effect_resolve.hpp>
#include <sql/last_checkpoint.hpp>
#include <sql/list_effects.hpp>
#include <sql/list_job_log.hpp>
#include <sql/show_progress.hpp>

#include <algorithm>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

pg::params of_job(job_id id) {
    pg::params to;
    to.number(id);
    return to;
}

}  // namespace

pg::result list_job_log(const session& with, job_id id, const log_filter& filter) {
    pg::params to = of_job(id);
    filter.attempt ? to.number(*filter.attempt) : to.null();
    filter.after_lease ? to.number(*filter.after_lease) : to.null();
    to.number(filter.after_line);
    filter.tail ? to.number(std::max(0, *filter.tail)) : to.null();
    return run(with, sql::list_job_log, to);
}

pg::result show_progress(const session& with, job_id id) {
    return run(with, sql::show_progress, of_job(id));
}

std::optional<std::string> last_checkpoint(const session& with, job_id id) {
    return run(with, sql::last_checkpoint, of_job(id)).optional_text(0, 0);
}

pg::result list_effects(const session& with, job_id id) {
    return run(with, sql::list_effects, of_job(id));
}

void effect_resolve(const session& with, job_id id, std::string_view step, bool happened,
                    const std::string& output) {
    pg::params to = of_job(id);
    // What cannot be stored names no step.
    to.null().text(core::storable_text(step, limits::note_bytes)).boolean(happened);
    output.empty() ? to.null() : to.text(output);
    run(with, sql::effect_resolve, to);
}

}  // namespace libqueue::store
