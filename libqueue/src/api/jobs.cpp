#include "api/asked.hpp"
#include "api/found_page.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/search_store.hpp"

#include <libqueue/jobs.hpp>

#include <algorithm>

namespace libqueue {
result<found_page> jobs::find(const filter& which, const std::optional<std::string>& behind,
                              int limit) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_page(api::make_report(store::find_jobs(with, which, behind, limit)),
                              static_cast<std::size_t>(limit));
    });
}

result<bounded_count> jobs::count(const filter& which, int most) {
    return api::asked(
        client_, [&](const store::session& with) { return store::count_jobs(with, which, most); });
}

std::vector<std::string> jobs::complete(std::string_view text) {
    constexpr int values_max = 20;
    std::vector<std::string> all = complete_filter(text);
    const auto space = text.find_last_of(" \t\n\r");
    const auto word = space == std::string_view::npos ? text : text.substr(space + 1);
    const auto begun = word.find_last_of(":,");
    for (const std::string_view field : {"queue", "kind"}) {
        const std::string colon = std::string{field} + ":";
        const bool negated = word.starts_with('-');
        if (begun == std::string_view::npos || !word.substr(negated ? 1 : 0).starts_with(colon)) {
            continue;
        }
        const report values = api::on_connection(client_, [&](const store::session& with) {
            return api::make_report(
                store::list_filter_values(with, field, word.substr(begun + 1), values_max));
        });
        for (const auto& row : values.rows) {
            all.push_back(std::string{word.substr(0, begun + 1)} + row.front().value_or(""));
        }
    }
    return all;
}

result<report> jobs::show(job_id id) {
    return api::asked(client_, [&](const store::session& with) {
        report one = api::make_report(store::show_job(with, id));
        if (one.rows.empty()) {
            throw domain_failure{error{errc::not_found, "no job " + std::to_string(id)}};
        }
        return one;
    });
}

result<report> jobs::explain(job_id id) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_report(store::explain_job_further(with, id));
    });
}

result<report> jobs::lineage(job_id id) {
    return api::asked(client_, [&](const store::session& with) {
        return api::make_report(store::job_lineage(with, id));
    });
}

result<void> jobs::run_now(job_id id) {
    const auto job = client_.get(id);
    if (!job) {
        return job.error();
    }
    const auto state = job->state;
    if (state != job_state::scheduled && state != job_state::retrying &&
        state != job_state::ready) {
        return error{errc::conflict, "job " + std::to_string(id) + " does not wait: it is " +
                                         std::string{to_string(state)}};
    }
    return client_.retry(id);
}

result<void> jobs::snooze(job_id id, time_point until) {
    return api::asked(client_,
                      [&](const store::session& with) { store::snooze_job(with, id, until); });
}

result<job_id> jobs::clone(job_id id, const clone_changes& changes) {
    return api::asked(
        client_, [&](const store::session& with) { return store::clone_job(with, id, changes); });
}

result<job_id> jobs::retry_edited(job_id id, const std::string& payload) {
    return api::asked(client_, [&](const store::session& with) {
        return store::retry_edited(with, id, payload);
    });
}

}  // namespace libqueue
