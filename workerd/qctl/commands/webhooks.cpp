#include "commands/commands.hpp"
#include "confirm.hpp"
#include "payload.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "server/api_report.hpp"
#include "unwrapped.hpp"

#include <libqueue/webhook.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace qctl {

namespace {

using libqueue::statement;

int limit_of(const invocation& call) {
    constexpr int usual = 100;
    const auto limit = call.text("limit");
    return limit ? static_cast<int>(read_integer(*limit, "--limit", 1, 10'000)) : usual;
}

std::optional<std::int64_t> id_of(const invocation& call, const char* flag) {
    const auto text = call.text(flag);
    return text ? std::optional{read_id(*text, std::string{"--"} + flag)} : std::nullopt;
}

void print_endpoint_result(context& with, std::int64_t id, const std::string& what) {
    row_builder row;
    row.integer("id", id).text("result", what);
    with.print_result("endpoint " + std::to_string(id) + ": " + what, row.done());
}

// A dry run still finds out whether there is such an endpoint.
bool only_planned(context& with, std::int64_t id, const std::string& what) {
    if (!with.options.dry_run) {
        return false;
    }
    static_cast<void>(unwrapped(with.processors().endpoint(id)));
    print_endpoint_result(with, id, "would be " + what);
    return true;
}

std::string file_text(const std::string& path, const std::string& where) {
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        throw usage(where + ": expected a readable file, got " + in_quotes(path));
    }
    return text.str();
}

// A receiver may be rotating: one key per line.
std::vector<libqueue::webhook::key> read_keys(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw usage("--secret-file: expected a file only its owner may read", "chmod 600 " + path);
    }
    std::istringstream lines{file_text(path, "--secret-file")};
    std::vector<libqueue::webhook::key> keys;
    std::string line;
    while (std::getline(lines, line)) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
            line.pop_back();
        }
        if (!line.empty()) {
            auto key = libqueue::webhook::key::parse(line);
            if (!key) {
                throw usage("--secret-file: " + key.error().message);
            }
            keys.push_back(std::move(*key));
        }
    }
    if (keys.empty()) {
        throw usage("--secret-file: expected a key on a line of its own, got none");
    }
    return keys;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

// `Name: value` lines as a proxy or curl -i shows them; the others are passed over.
std::string header_of(const std::string& text, const std::string& name) {
    std::istringstream lines{text};
    std::string line;
    while (std::getline(lines, line)) {
        const auto colon = line.find(':');
        if (colon != std::string::npos && lower(line.substr(0, colon)) == name) {
            auto value = line.substr(colon + 1);
            value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
            return value.substr(0, value.find_last_not_of(" \t\r") + 1);
        }
    }
    throw usage("--headers: expected a line `" + name + ": ...`, got none");
}

}  // namespace

exit_code run_webhooks_endpoints_list(context& with) {
    const auto rows = unwrapped(with.processors().endpoints(
        with.call.text("tenant"), id_of(with.call, "after"), limit_of(with.call)));
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no endpoints match");
    }
    return exit_code::ok;
}

exit_code run_webhooks_endpoints_show(context& with) {
    with.print_object(unwrapped(with.processors().endpoint(read_id(with.call.arguments[0], "ID"))));
    return exit_code::ok;
}

exit_code run_webhooks_endpoints_create(context& with) {
    const auto& call = with.call;
    if (with.options.dry_run) {
        row_builder row;
        row.text("result", "would be created");
        with.print_result("an endpoint would be created", row.done());
        return exit_code::ok;
    }
    wanted_endpoint wanted;
    wanted.url = call.arguments[0];
    wanted.tenant = call.text("tenant");
    wanted.events = call.all("event");
    if (wanted.events.empty()) {
        wanted.events.emplace_back("*");
    }
    wanted.ordered = call.has("ordered");
    wanted.description = call.text("description");
    const auto made = unwrapped(with.processors().create_endpoint(wanted));
    const auto id = made.rows.at(0).at(0).value_or("");
    with.print_result(id, made);
    flush_output();
    with.notes.note("its secret is derived from the endpoint key of workerd");
    return exit_code::ok;
}

exit_code run_webhooks_endpoints_enable(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    if (only_planned(with, id, "enabled")) {
        return exit_code::ok;
    }
    demand_done(with.processors().enable_endpoint(id));
    print_endpoint_result(with, id, "enabled");
    return exit_code::ok;
}

exit_code run_webhooks_endpoints_disable(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    const auto name = std::to_string(id);
    demand_consent(with.options, danger::moderate, name);
    if (only_planned(with, id, "disabled")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name, "send nothing to endpoint " + name);
    demand_done(
        with.processors().disable_endpoint(id, with.call.text("reason").value_or("by hand")));
    print_endpoint_result(with, id, "disabled");
    return exit_code::ok;
}

exit_code run_webhooks_endpoints_rotate(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    const auto name = std::to_string(id);
    demand_consent(with.options, danger::moderate, name);
    if (only_planned(with, id, "given a new secret")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name, "give endpoint " + name + " a new secret");
    const auto overlap = read_duration(with.call.text("overlap").value_or("24h"), "--overlap");
    demand_done(with.processors().rotate_endpoint(
        id, std::chrono::duration_cast<std::chrono::seconds>(overlap)));
    print_endpoint_result(with, id, "given a new secret");
    return exit_code::ok;
}

exit_code run_webhooks_endpoints_remove(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    const auto name = std::to_string(id);
    demand_consent(with.options, danger::severe, name);
    if (only_planned(with, id, "removed")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::severe, name, "remove endpoint " + name + " and its keys");
    demand_done(with.processors().remove_endpoint(id));
    print_endpoint_result(with, id, "removed");
    return exit_code::ok;
}

exit_code run_webhooks_deliveries_list(context& with) {
    const auto& call = with.call;
    const auto rows = unwrapped(with.processors().deliveries(
        id_of(call, "endpoint"), call.text("outcome"), call.text("tenant"), limit_of(call)));
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no deliveries match");
    }
    return exit_code::ok;
}

exit_code run_webhooks_deliveries_replay(context& with) {
    const auto& event = with.call.arguments[0];
    const auto endpoint = id_of(with.call, "endpoint");
    if (!endpoint) {
        throw usage("webhooks deliveries replay: expected --endpoint ID, got nothing");
    }
    if (with.options.dry_run) {
        static_cast<void>(unwrapped(with.processors().endpoint(*endpoint)));
        row_builder row;
        row.text("event_id", event).text("result", "would be sent again");
        with.print_result("event " + printable(event) + ": would be sent again", row.done());
        return exit_code::ok;
    }
    const auto job = unwrapped(with.processors().replay(event, *endpoint));
    with.print_result(field_of(job, "job_id").value_or(""), job);
    return exit_code::ok;
}

exit_code run_webhooks_verify(context& with) {
    const auto& call = with.call;
    const auto secret = call.text("secret-file");
    const auto headers_file = call.text("headers");
    if (!secret || !headers_file) {
        throw usage("webhooks verify: expected --secret-file and --headers, got " +
                        std::string{secret || headers_file ? "one of them" : "neither"},
                    "qctl webhooks verify --help");
    }
    const auto keys = read_keys(*secret);
    const auto text = file_text(*headers_file, "--headers");
    const auto id = header_of(text, "webhook-id");
    const auto timestamp = header_of(text, "webhook-timestamp");
    const auto signature = header_of(text, "webhook-signature");
    const auto body = read_payload(call.arguments[0], "BODY");
    const auto tolerance = read_duration(call.text("tolerance").value_or("5m"), "--tolerance");
    auto now = std::chrono::floor<std::chrono::seconds>(system_now());
    if (const auto at = call.text("at")) {
        now = std::chrono::floor<std::chrono::seconds>(read_time(*at, "--at"));
    }
    const libqueue::webhook::received_headers headers{id, timestamp, signature};
    const auto fits =
        libqueue::webhook::verify(keys, headers, body, std::chrono::sys_seconds{now},
                                  std::chrono::duration_cast<std::chrono::seconds>(tolerance));
    if (!fits) {
        throw stop{exit_code::failed, "not_valid", fits.error().message, fits.error().hint};
    }
    row_builder row;
    row.text("webhook_id", id).text("result", "valid");
    with.print_result("the signature fits", row.done());
    return exit_code::ok;
}

}  // namespace qctl
