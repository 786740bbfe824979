#include "commands/commands.hpp"
#include "faults.hpp"
#include "json_members.hpp"
#include "payload.hpp"
#include "printable.hpp"
#include "server/api_client.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>

namespace qctl {

namespace {

constexpr std::array<std::string_view, 5> methods{"GET", "POST", "PUT", "DELETE", "PATCH"};
constexpr std::string_view base = "/api/v1";

api_request request_from(const invocation& call) {
    const auto& method = call.arguments[0];
    if (std::ranges::find(methods, method) == methods.end()) {
        throw usage("METHOD: expected GET, POST, PUT, PATCH or DELETE, got " + in_quotes(method));
    }
    std::string path = call.arguments[1];
    path = path.starts_with(base) ? path.substr(base.size()) : path;
    const bool plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!path.starts_with('/') || path.starts_with("//") || !plain ||
        path.find('#') != std::string::npos) {
        throw usage("PATH: expected a path such as /queues, got " + in_quotes(path),
                    "other characters than those of a URL are written %XX");
    }
    api_request request{method, std::move(path)};
    if (call.arguments.size() > 2) {
        request.body = read_payload(call.arguments[2], "BODY");
        if (!is_json(*request.body)) {
            throw usage("BODY: expected one JSON value");
        }
    }
    request.if_match = call.text("if-match");
    request.only_once = request.path == "/tokens";
    return request;
}

// A list is one of ours when it says so; everything else is an object or no JSON at all.
bool is_list(const std::string& body) {
    const auto members = json_members(body);
    return json_elements(body) ||
           (members && std::ranges::any_of(*members, [](const auto& member) {
                return member.name == "items" && member.value.starts_with('[');
            }));
}

}  // namespace

exit_code run_api(context& with) {
    auto* const server = with.server();
    if (server == nullptr) {
        throw usage("api: expected --server URL or a context with a server, got a database",
                    "qctl help contexts");
    }
    const auto request = request_from(with.call);
    if (with.options.dry_run && request.method != "GET") {
        write_output("would send " + request.method + ' ' + printable(request.path) + '\n');
        return exit_code::ok;
    }
    const auto answer = server->send(request);
    if (answer.status < 200 || answer.status >= 300) {
        auto problem = read_problem(answer.status, answer.body);
        problem.request_id = problem.request_id.empty() ? answer.request_id : problem.request_id;
        throw to_stop(problem);
    }
    if (answer.body.empty()) {
        return exit_code::ok;
    }
    if (with.call.has("raw") || !is_json(answer.body)) {
        write_output(with.options.out_is_terminal ? printable_lines(answer.body) : answer.body);
        write_output(answer.body.ends_with('\n') ? "" : "\n");
    } else if (is_list(answer.body)) {
        const auto page = read_page(answer.body);
        with.print_list(page.rows);
        flush_output();
        if (page.cursor) {
            with.notes.note("there may be more: cursor=" + *page.cursor);
        }
    } else {
        with.print_object(read_object(answer.body));
    }
    return exit_code::ok;
}

}  // namespace qctl
