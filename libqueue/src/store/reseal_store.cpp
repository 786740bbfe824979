#include "store/reseal_store.hpp"

#include "pg/schema_name.hpp"

#include <sql/find_encrypted_letters.hpp>
#include <sql/key_usage.hpp>
#include <sql/put_resealed_archived_jobs.hpp>
#include <sql/put_resealed_archived_outputs.hpp>
#include <sql/put_resealed_checkpoints.hpp>
#include <sql/put_resealed_dead_letters.hpp>
#include <sql/put_resealed_effects.hpp>
#include <sql/put_resealed_jobs.hpp>
#include <sql/put_resealed_outputs.hpp>
#include <sql/replay_sealed.hpp>
#include <sql/reseal_archived_jobs.hpp>
#include <sql/reseal_archived_outputs.hpp>
#include <sql/reseal_checkpoints.hpp>
#include <sql/reseal_dead_letters.hpp>
#include <sql/reseal_effects.hpp>
#include <sql/reseal_jobs.hpp>
#include <sql/reseal_outputs.hpp>
#include <sql/reseal_span.hpp>

#include <string_view>

namespace libqueue::store {
namespace {

constexpr int jobs_per_step = 100;

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

std::string_view finding(sealed_source where) {
    switch (where) {
        case sealed_source::jobs:
            return sql::reseal_jobs;
        case sealed_source::outputs:
            return sql::reseal_outputs;
        case sealed_source::dead_letters:
            return sql::reseal_dead_letters;
        case sealed_source::archived_jobs:
            return sql::reseal_archived_jobs;
        case sealed_source::archived_outputs:
            return sql::reseal_archived_outputs;
        case sealed_source::checkpoints:
            return sql::reseal_checkpoints;
        case sealed_source::effects:
            return sql::reseal_effects;
    }
    return {};
}

std::string_view putting(sealed_source where) {
    switch (where) {
        case sealed_source::jobs:
            return sql::put_resealed_jobs;
        case sealed_source::outputs:
            return sql::put_resealed_outputs;
        case sealed_source::dead_letters:
            return sql::put_resealed_dead_letters;
        case sealed_source::archived_jobs:
            return sql::put_resealed_archived_jobs;
        case sealed_source::archived_outputs:
            return sql::put_resealed_archived_outputs;
        case sealed_source::checkpoints:
            return sql::put_resealed_checkpoints;
        case sealed_source::effects:
            return sql::put_resealed_effects;
    }
    return {};
}

sealed_part part_in(sealed_source where) {
    switch (where) {
        case sealed_source::jobs:
        case sealed_source::dead_letters:
        case sealed_source::archived_jobs:
            return sealed_part::payload;
        case sealed_source::outputs:
        case sealed_source::archived_outputs:
            return sealed_part::output;
        case sealed_source::checkpoints:
            return sealed_part::checkpoint;
        case sealed_source::effects:
            return sealed_part::effect;
    }
    return sealed_part::payload;
}

/// A fifth column tells rows of one job apart.
std::vector<sealed_text> read_texts(const pg::result& found, sealed_part part) {
    std::vector<sealed_text> texts;
    texts.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) {
        auto& each =
            texts.emplace_back(seal_owner{found.int64(row, 0), std::string{found.text(row, 1)},
                                          found.optional_text(row, 2), part});
        each.text = found.text(row, 3);
        if (found.columns() > 4) {
            each.place = found.text(row, 4);
        }
    }
    return texts;
}

}  // namespace

std::optional<std::int64_t> next_reseal_span(const session& with, std::int64_t after) {
    pg::params parameters;
    parameters.number(after).number(jobs_per_step);
    const pg::result found = run(with, sql::reseal_span, parameters);
    return found.is_null(0, 0) ? std::nullopt : std::optional{found.int64(0, 0)};
}

std::vector<sealed_text> find_to_reseal(const session& with, sealed_source where,
                                        const reseal_span& span) {
    pg::params parameters;
    parameters.number(span.after).number(span.up_to).text(span.from).text(span.active);
    return read_texts(run(with, finding(where), parameters), part_in(where));
}

std::vector<sealed_text> find_encrypted_letters(const session& with, std::span<const job_id> ids) {
    pg::params parameters;
    parameters.int8_array(ids);
    return read_texts(run(with, sql::find_encrypted_letters, parameters), sealed_part::payload);
}

bool replay_sealed(const session& with, job_id letter, job_id new_id, std::string_view payload,
                   const replay_options& options, const sweep& all, std::int64_t done) {
    const double seconds = options.per_second > 0 ? 1.0 / options.per_second : 0.0;
    pg::params parameters;
    parameters.number(letter).number(new_id).text(payload).text(options.to_queue);
    parameters.text(std::to_string(seconds)).text(all.started_at).number(done);
    return !run(with, sql::replay_sealed, parameters).is_null(0, 0);
}

void put_resealed(const session& with, sealed_source where, const std::vector<sealed_text>& texts) {
    std::vector<std::int64_t> jobs;
    std::vector<std::string> places;
    std::vector<std::string_view> contents;
    for (const sealed_text& each : texts) {
        jobs.push_back(each.owner.id);
        contents.emplace_back(each.text);
        if (!each.place.empty()) {
            places.push_back(each.place);
        }
    }
    pg::params parameters;
    parameters.int8_array(jobs).jsonb_array(contents);
    if (!places.empty()) {
        parameters.text_array(std::span<const std::string>{places});
    }
    run(with, putting(where), parameters);
}

pg::result key_usage(const session& with) {
    return run(with, sql::key_usage, {});
}

}  // namespace libqueue::store
