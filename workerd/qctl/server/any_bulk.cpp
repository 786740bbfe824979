#include "server/any_bulk.hpp"

#include "context.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"

#include <chrono>
#include <utility>

namespace qctl {

namespace {

using libqueue::result;

std::string path_of(std::int64_t operation) {
    return "/operations/" + std::to_string(operation);
}

json_body asked(libqueue::bulk_action action, const libqueue::filter& which) {
    json_body body;
    body.text("action", std::string{libqueue::to_string(action)}).text("filter", which.text());
    return body;
}

}  // namespace

result<libqueue::bounded_count> any_bulk::count(libqueue::bulk_action action,
                                                const libqueue::filter& which) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::bulk{with_.client()}.count(action, which);
    }
    api_request request{"POST", "/operations"};
    request.body = asked(action, which).boolean("dry_run", true).done();
    const auto row = server->object(request);
    if (!row) {
        return row.error();
    }
    libqueue::bounded_count counted;
    counted.count = number_of(*row, "count");
    counted.exact = truth_of(*row, "count_exact");
    return counted;
}

result<std::int64_t> any_bulk::create(const libqueue::new_bulk& wanted) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::bulk{with_.client()}.create(wanted);
    }
    api_request request{"POST", "/operations"};
    request.body =
        asked(wanted.action, wanted.which)
            .number("rate", wanted.per_second)
            .text("reason", wanted.reason)
            .integer("undo_seconds",
                     std::chrono::duration_cast<std::chrono::seconds>(wanted.undo).count())
            .done();
    const auto row = server->object(request);
    return row ? result<std::int64_t>{number_of(*row, "id")} : row.error();
}

libqueue::report any_bulk::list(bool unfinished_only, const std::optional<std::int64_t>& before,
                                int limit) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::bulk{with_.client()}.list(unfinished_only, before, limit);
    }
    api_request request{"GET", "/operations"};
    if (unfinished_only) {
        request.query.emplace_back("unfinished", "true");
    }
    add(request, "before", before);
    return server->list(request, limit).value();
}

result<libqueue::report> any_bulk::show(std::int64_t operation) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::bulk{with_.client()}.show(operation)
                             : server->object({"GET", path_of(operation)});
}

result<void> any_bulk::cancel(std::int64_t operation) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::bulk{with_.client()}.cancel(operation);
    }
    return done(server->ask({"POST", path_of(operation) + "/cancel"}));
}

result<libqueue::found_page> any_bulk::find(const libqueue::filter& which,
                                            const std::optional<std::string>& behind, int limit) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::jobs{with_.client()}.find(which, behind, limit);
    }
    api_request request{"GET", "/jobs"};
    request.query = {{"filter", which.text()}};
    auto page = server->pages(request, limit, behind);
    if (!page) {
        return page.error();
    }
    libqueue::found_page found;
    found.rows = std::move(page->rows);
    found.next = std::move(page->cursor);
    return found;
}

}  // namespace qctl
