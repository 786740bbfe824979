#include "api/job_sealing.hpp"

#include "api/as_result.hpp"
#include "pg/schema_name.hpp"
#include "store/job_store.hpp"
#include "store/new_job_check.hpp"
#include "store/reseal_store.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace libqueue {
namespace api {
namespace {

void open_in_place(const keyring& keys, const seal_owner& owner, std::string& text) {
    if (!is_sealed(text)) {
        return;
    }
    if (auto opened = keys.open(owner, text)) {
        text = std::move(*opened);
    }
}

}  // namespace

void check_sealing(const client_options& options) {
    if (!options.encrypted_kinds.empty() && options.keyring == nullptr) {
        throw domain_failure{error{errc::invalid_argument,
                                   "encrypted_kinds: expected a keyring beside them, got none",
                                   "Set client_options::keyring."}};
    }
}

bool must_seal(const client_options& options, const new_job& job) {
    const auto& kinds = options.encrypted_kinds;
    return !kinds.empty() && std::find(kinds.begin(), kinds.end(), job.kind) != kinds.end() &&
           !(job.id && is_sealed(job.payload));
}

new_job sealed_job(const keyring& keys, new_job job, job_id id) {
    const seal_owner owner{id, job.kind, job.tenant_id};
    job.payload = (job.idempotency_key ? keys.seal_comparable(owner, job.payload)
                                       : keys.seal(owner, job.payload))
                      .value();
    job.id = id;
    return job;
}

std::optional<std::vector<new_job>> sealed_jobs(const client_options& options, pg::connection& on,
                                                std::span<const new_job> jobs) {
    const auto concerned = static_cast<std::size_t>(std::count_if(
        jobs.begin(), jobs.end(), [&](const new_job& job) { return must_seal(options, job); }));
    if (concerned == 0) {
        return std::nullopt;
    }
    const std::vector<job_id> ids = store::draw_job_ids(on, options.schema, concerned);
    std::vector<new_job> made;
    made.reserve(jobs.size());
    std::size_t next = 0;
    for (const new_job& job : jobs) {
        made.push_back(must_seal(options, job) ? sealed_job(*options.keyring, job, ids[next++])
                                               : job);
    }
    return made;
}

void open_what_is_sealed(const client_options& options, job_info& job) {
    if (options.keyring == nullptr) {
        return;
    }
    seal_owner owner{job.id, job.kind, job.tenant_id};
    open_in_place(*options.keyring, owner, job.payload);
    if (job.output) {
        owner.part = sealed_part::output;
        open_in_place(*options.keyring, owner, *job.output);
    }
}

void open_output(const client_options& options, const new_job& of, enqueued& answer) {
    if (options.keyring != nullptr && answer.output) {
        const seal_owner owner{answer.id, of.kind, of.tenant_id, sealed_part::output};
        open_in_place(*options.keyring, owner, *answer.output);
    }
}

std::int64_t replay_anew(const keyring& keys, const store::session& with, std::vector<job_id> ids,
                         const replay_options& options, const store::sweep& all,
                         std::int64_t done) {
    pg::transaction work{with.on};
    const auto letters = store::find_encrypted_letters(with, ids);
    const auto fresh = letters.empty() ? std::vector<job_id>{}
                                       : store::draw_job_ids(with.on, with.schema, letters.size());
    std::int64_t replayed = 0;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        const seal_owner& old = letters[i].owner;
        const std::string plain =
            options.payload ? *options.payload : keys.open(old, letters[i].text).value();
        const seal_owner owner{fresh[i], old.kind, old.tenant_id};
        const std::string sealed = keys.seal(owner, plain).value();
        replayed +=
            store::replay_sealed(with, old.id, fresh[i], sealed, options, all, done + replayed) ? 1
                                                                                                : 0;
        std::erase(ids, old.id);
    }
    if (!ids.empty()) {
        replayed += store::replay_dead_letters(with, ids, options, all, done + replayed);
    }
    work.commit();
    return replayed;
}

}  // namespace api

result<new_job> seal_job(pg_conn* connection, const keyring& keys, new_job job,
                         std::string_view schema) {
    if (connection == nullptr) {
        return error{errc::invalid_argument, "connection: expected one, got a null pointer"};
    }
    if (auto named = pg::check_schema_name(schema); named.has_error()) {
        return named.error();
    }
    if (auto valid = store::check_new_job(job); valid.has_error()) {
        return valid.error();
    }
    pg::connection on{connection};
    return api::as_result([&] {
        const job_id id = store::draw_job_ids(on, schema, 1).front();
        return api::sealed_job(keys, std::move(job), id);
    });
}

}  // namespace libqueue
