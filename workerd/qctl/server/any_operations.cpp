#include "server/any_operations.hpp"

#include "context.hpp"
#include "server/asking.hpp"
#include "server/filter_text.hpp"
#include "server/json_body.hpp"
#include "values.hpp"

#include <libqueue/failures.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

namespace qctl {

namespace {

using libqueue::report;
using libqueue::result;

constexpr std::chrono::milliseconds watch_pause{250};

std::string queue_path(std::string_view queue, std::string_view rest = {}) {
    return "/queues/" + path_part(queue) + std::string{rest};
}

api_request filtered(std::string path, const std::string& filter) {
    api_request request{"GET", std::move(path)};
    if (!filter.empty()) {
        request.query.emplace_back("filter", filter);
    }
    return request;
}

// Of a server: a page as its cursors go. Its order need not be that of the ids.
libqueue::found_page found(result<api_page> page) {
    auto got = std::move(page).value();
    libqueue::found_page made;
    made.rows = std::move(got.rows);
    made.next = std::move(got.cursor);
    return made;
}

// Of the database: the next page begins below an id.
libqueue::found_page found(report rows) {
    libqueue::found_page made;
    made.next = rows.next ? std::optional{std::to_string(*rows.next)} : std::nullopt;
    made.rows = std::move(rows);
    return made;
}

// A bulk operation of the server: begun, watched to its end, or cancelled from here.
class bulk_run {
   public:
    explicit bulk_run(api_client& server) noexcept : server_{server} {}

    result<std::int64_t> count(std::string_view action, const std::string& filter) {
        json_body body = asked(action, filter);
        const auto answer =
            server_.object(posting("/operations", body.boolean("dry_run", true).done()));
        return answer ? result<std::int64_t>{number_of(*answer, "count")} : answer.error();
    }

    // The user has confirmed already: it begins at once.
    result<std::int64_t> run(std::string_view action, const std::string& filter,
                             std::optional<double> per_second,
                             const libqueue::progress_callback& progress) {
        json_body body = asked(action, filter);
        body.number("rate", per_second).integer("undo_seconds", 0);
        auto at = server_.object(posting("/operations", body.done()));
        if (!at) {
            return at.error();
        }
        const std::string path = "/operations/" + path_part(field_of(*at, "id").value_or(""));
        while (!ended(*at)) {
            if (progress && !progress(number_of(*at, "done"), number_of(*at, "matched"))) {
                at = server_.object(posting(path + "/cancel"));
                return at ? result<std::int64_t>{number_of(*at, "done")} : at.error();
            }
            std::this_thread::sleep_for(watch_pause);
            at = server_.object({"GET", path});
            if (!at) {
                return at.error();
            }
        }
        if (field_of(*at, "state").value_or("") == "failed") {
            throw stop{exit_code::partly_done, "failed",
                       "the operation failed: " + field_of(*at, "last_error").value_or("unknown"),
                       "qctl ops show " + field_of(*at, "id").value_or("") + " tells more"};
        }
        return number_of(*at, "done");
    }

   private:
    // A bulk operation wants a filter; all dead letters are those that are dead.
    static json_body asked(std::string_view action, const std::string& filter) {
        json_body body;
        body.text("action", std::string{action})
            .text("filter", filter.empty() ? std::string{"state:dead"} : filter);
        return body;
    }

    static bool ended(const report& row) {
        const auto state = field_of(row, "state").value_or("");
        return state == "completed" || state == "failed" || state == "cancelled";
    }

    api_client& server_;
};

// Letters named one by one are acted on one by one: at once, and each by the rights for one.
result<std::int64_t> act_on_letters(api_client& server, const std::vector<libqueue::job_id>& ids,
                                    std::string_view verb, const std::string& body,
                                    const libqueue::progress_callback& progress) {
    std::int64_t count = 0;
    for (const auto id : ids) {
        const auto row = server.object(
            posting("/dead-letters/" + std::to_string(id) + "/" + std::string{verb}, body));
        if (!row && row.error().code != libqueue::errc::not_found) {
            return row.error();
        }
        // Somebody may have been quicker: `replayed`, `discarded`.
        count += row && truth_of(*row, std::string{verb} + "ed") ? 1 : 0;
        if (progress && !progress(count, static_cast<std::int64_t>(ids.size()))) {
            break;
        }
    }
    return count;
}

}  // namespace

libqueue::found_page any_operations::list_jobs(const libqueue::job_filter& filter,
                                               const std::optional<std::string>& cursor) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return found(libqueue::operations{with_.client()}.list_jobs(filter));
    }
    return found(server->pages(filtered("/jobs", filter_text(filter)), filter.limit, cursor));
}

report any_operations::attempts(libqueue::job_id id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.attempts(id);
    }
    return server->items({"GET", "/jobs/" + std::to_string(id) + "/attempts"}).value();
}

result<report> any_operations::explain(libqueue::job_id id) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.explain(id)
                             : server->object({"GET", "/jobs/" + std::to_string(id) + "/explain"});
}

libqueue::found_page any_operations::list_dead_letters(const libqueue::dead_letter_filter& filter,
                                                       const std::optional<std::string>& cursor) {
    auto* const server = with_.server();
    if (server == nullptr) {
        auto rows = libqueue::operations{with_.client()}.list_dead_letters(filter);
        if (!rows.rows.empty() && rows.rows.size() == static_cast<std::size_t>(filter.limit)) {
            rows.next = read_id(rows.rows.back().at(0).value_or(""), "id");
        }
        return found(std::move(rows));
    }
    if (filter.ids.size() == 1) {
        auto one = server->object({"GET", "/dead-letters/" + std::to_string(filter.ids[0])});
        if (!one && one.error().code == libqueue::errc::not_found) {
            return {};
        }
        return found(std::move(one).value());
    }
    return found(
        server->pages(filtered("/dead-letters", filter_text(filter)), filter.limit, cursor));
}

void any_operations::export_letters(const libqueue::dead_letter_filter& filter, std::int64_t most,
                                    const std::function<void(const report&)>& take) {
    constexpr std::int64_t page_size = 100;
    const auto request = filtered("/dead-letters/export", filter_text(filter));
    std::string cursor;
    do {
        auto page = request;
        page.query.emplace_back("limit", std::to_string(std::min(most, page_size)));
        if (!cursor.empty()) {
            page.query.emplace_back("cursor", cursor);
        }
        const auto answer = with_.server()->ask(page).value();
        std::string_view lines{answer.body};
        while (!lines.empty() && most > 0) {
            const auto end = std::min(lines.find('\n'), lines.size());
            take(read_object(lines.substr(0, end)));
            lines.remove_prefix(std::min(end + 1, lines.size()));
            --most;
        }
        cursor = answer.next_cursor;
    } while (!cursor.empty() && most > 0);
}

report any_operations::dead_letter_groups(const libqueue::dead_letter_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.dead_letter_groups(filter);
    }
    auto groups = server->items(filtered("/dead-letters/groups", filter_text(filter))).value();
    groups.rows.resize(std::min(groups.rows.size(), static_cast<std::size_t>(filter.limit)));
    return groups;
}

result<void> any_operations::note_group(std::string_view fingerprint,
                                        const std::optional<std::string>& note, bool muted) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::failures{with_.client()}.note_group(fingerprint, note, muted);
    }
    api_request request{"PUT", "/dead-letters/groups/" + path_part(fingerprint)};
    request.body = json_body{}.text("note", note).boolean("muted", muted).done();
    return done(server->ask(request));
}

std::int64_t any_operations::count_dead_letters(const libqueue::dead_letter_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.count_dead_letters(filter);
    }
    return bulk_run{*server}.count("replay", filter_text(filter)).value();
}

result<std::int64_t> any_operations::replay(const libqueue::dead_letter_filter& filter,
                                            const libqueue::replay_options& options,
                                            const libqueue::progress_callback& progress) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.replay(filter, options, progress);
    }
    json_body edits;
    edits.raw("payload", options.payload.value_or("")).text("queue", options.to_queue);
    const bool edited = options.payload || options.to_queue;
    if (edited && (filter.ids.empty() || options.per_second > 0)) {
        throw needs_database(with_.call, "the API edits letters that are named, one by one");
    }
    if (options.dry_run) {
        return bulk_run{*server}.count("replay", filter_text(filter));
    }
    const auto rate = options.per_second > 0 ? std::optional{options.per_second} : std::nullopt;
    return filter.ids.empty() || rate
               ? bulk_run{*server}.run("replay", filter_text(filter), rate, progress)
               : act_on_letters(*server, filter.ids, "replay", edits.done(), progress);
}

std::int64_t any_operations::discard(const libqueue::dead_letter_filter& filter, bool dry_run,
                                     const libqueue::progress_callback& progress) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.discard(filter, dry_run, progress);
    }
    if (dry_run) {
        return bulk_run{*server}.count("discard", filter_text(filter)).value();
    }
    return (filter.ids.empty()
                ? bulk_run{*server}.run("discard", filter_text(filter), std::nullopt, progress)
                : act_on_letters(*server, filter.ids, "discard", {}, progress))
        .value();
}

report any_operations::list_queues() {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.list_queues()
                             : server->items({"GET", "/queues"}).value();
}

result<report> any_operations::show_queue(std::string_view queue) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.show_queue(queue)
                             : server->object({"GET", queue_path(queue)});
}

result<void> any_operations::create_queue(std::string_view queue) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.create_queue(queue);
    }
    return done(
        server->ask(posting("/queues", json_body{}.text("name", std::string{queue}).done())));
}

result<void> any_operations::pause(std::string_view queue, std::string_view reason) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.pause(queue, reason);
    }
    json_body body;
    if (!reason.empty()) {
        body.text("reason", std::string{reason});
    }
    return done(server->ask(posting(queue_path(queue, "/pause"), body.done())));
}

result<void> any_operations::resume(std::string_view queue) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.resume(queue)
                             : done(server->ask(posting(queue_path(queue, "/resume"))));
}

result<std::int64_t> any_operations::purge(std::string_view queue, bool dry_run,
                                           const libqueue::progress_callback& progress) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.purge(queue, dry_run, progress);
    }
    // A long line takes the server several turns.
    std::int64_t count = 0;
    while (true) {
        const auto row = server->object(
            posting(queue_path(queue, "/clear"), json_body{}.boolean("dry_run", dry_run).done()));
        if (!row) {
            return row.error();
        }
        if (dry_run) {
            return number_of(*row, "matched");
        }
        count += number_of(*row, "cancelled");
        const bool finished = field_of(*row, "finished").value_or("true") == "true";
        if (finished || (progress && !progress(count, count + 1))) {
            return count;
        }
    }
}

result<std::int64_t> any_operations::outstanding(std::string_view queue) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::operations{with_.client()}.outstanding(queue);
    }
    const auto row = server->object({"GET", queue_path(queue)});
    if (!row) {
        return row.error();
    }
    return number_of(*row, "ready") + number_of(*row, "scheduled") + number_of(*row, "retrying") +
           number_of(*row, "running");
}

report any_operations::list_workers() {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.list_workers()
                             : server->items({"GET", "/workers"}).value();
}

result<report> any_operations::show_worker(std::int64_t worker) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::worker_control{with_.client()}.show(worker)
                             : server->object({"GET", "/workers/" + std::to_string(worker)});
}

result<void> any_operations::ask_worker(std::int64_t worker, libqueue::worker_wish wish) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::worker_control{with_.client()}.ask(worker, wish);
    }
    const auto path = "/workers/" + std::to_string(worker) + "/" + std::string{to_string(wish)};
    return done(server->ask(posting(path)));
}

report any_operations::list_kinds() {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.list_kinds()
                             : server->items({"GET", "/kinds"}).value();
}

report any_operations::unhandled_kinds() {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::operations{with_.client()}.unhandled_kinds()
                             : server->items({"GET", "/kinds/unhandled"}).value();
}

report any_operations::stats() {
    return libqueue::operations{with_.client()}.stats();
}

report any_operations::list_cures() {
    return libqueue::operations{with_.client()}.list_cures();
}

void any_operations::run_cure(const std::string& command) {
    libqueue::operations{with_.client()}.run_cure(command);
}

}  // namespace qctl
