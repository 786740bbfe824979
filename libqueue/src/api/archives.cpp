#include "api/asked.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "core/limits.hpp"
#include "store/archive_store.hpp"

#include <libqueue/archives.hpp>

namespace libqueue {
namespace {

std::int64_t counted_in(const store::session& with, const archived_filter& filter) {
    const auto count = store::count_archived_jobs(with, filter);
    if (!count) {
        throw domain_failure{
            error{errc::not_found, "no archive '" + filter.archive.substr(0, 100) + "'"}};
    }
    return *count;
}

}  // namespace

result<void> archives::set(std::string_view kind, const std::optional<std::string>& archive) {
    return api::asked(client_,
                      [&](const store::session& with) { store::set_archive(with, kind, archive); });
}

result<void> archives::set_retention(std::string_view archive,
                                     const std::optional<std::chrono::milliseconds>& retention) {
    return api::asked(client_, [&](const store::session& with) {
        store::set_archive_retention(with, archive, retention);
    });
}

report archives::list() {
    return api::on_connection(client_, [](const store::session& with) {
        return api::make_report(store::list_archives(with));
    });
}

result<report> archives::jobs(const archived_filter& filter) {
    return api::asked(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_archived_jobs(with, filter));
        if (page.rows.empty() && !filter.after) {
            static_cast<void>(counted_in(with, filter));
        }
        return page;
    });
}

result<std::int64_t> archives::count(const archived_filter& filter) {
    return api::asked(client_,
                      [&](const store::session& with) { return counted_in(with, filter); });
}

result<std::int64_t> archives::remove(std::string_view archive, std::span<const job_id> ids) {
    return api::asked(client_, [&](const store::session& with) {
        return store::remove_archived_jobs(with, archive, ids);
    });
}

result<std::int64_t> archives::prune(std::string_view archive, time_point before,
                                     const progress_callback& progress) {
    archived_filter filter{std::string{archive}};
    filter.before = before;
    std::int64_t total = 0;
    if (progress) {
        const auto counted = count(filter);
        if (!counted) {
            return counted.error();
        }
        total = *counted;
    }
    std::int64_t done = 0;
    while (true) {
        const auto gone = api::asked(client_, [&](const store::session& with) {
            return store::remove_old_archived_jobs(with, archive, before, limits::sweep_batch_max);
        });
        if (!gone) {
            return gone.error();
        }
        done += *gone;
        if (*gone < limits::sweep_batch_max || (progress && !progress(done, total))) {
            return done;
        }
    }
}

result<erasure> erase(client& connection, const erasure_request& request) {
    return api::asked(connection, [&](const store::session& with) {
        return store::erase_subject(with, request);
    });
}

report list_erasures(client& connection, int limit) {
    return api::on_connection(connection, [&](const store::session& with) {
        return api::make_report(store::list_erasures(with, limit));
    });
}

}  // namespace libqueue
