#include "api_call.hpp"
#include "routes/filtering.hpp"
#include "routes/routes.hpp"

#include <libqueue/failures.hpp>
#include <libqueue/operations.hpp>

#include <boost/json/object.hpp>

#include <array>
#include <chrono>

namespace workerd::api {

namespace {

constexpr std::size_t export_bytes{8 * 1024 * 1024};

libqueue::failures failures_of(api_call& call) {
    return libqueue::failures{call.database()};
}

answer list_letters(api_call& call) {
    return reply_page(failures_of(call).find(filter_of(call), call.cursor(), call.limit()).value());
}

answer list_groups(api_call& call) {
    const std::chrono::hours window{call.integer("hours").value_or(24)};
    return reply_list(failures_of(call).groups(filter_of(call), window).value());
}

answer show_letter(api_call& call) {
    return reply_object(failures_of(call).show(call.id()).value());
}

answer note_group(api_call& call) {
    failures_of(call)
        .note_group(call.name("fingerprint"), call.member_text("note"),
                    call.member_flag("muted").value_or(false))
        .value();
    return reply_nothing();
}

libqueue::dead_letter_filter only(api_call& call) {
    // Foreign and missing look the same: whoever may not see it finds none.
    static_cast<void>(failures_of(call).show(call.id()).value());
    libqueue::dead_letter_filter one;
    one.ids = {call.id()};
    return one;
}

answer replay_letter(api_call& call) {
    libqueue::replay_options options;
    options.payload = call.member_json("payload");
    options.to_queue = call.member_text("queue");
    const auto done = libqueue::operations{call.database()}.replay(only(call), options).value();
    return reply_json(boost::json::object{{"id", call.id()}, {"replayed", done > 0}});
}

answer discard_letter(api_call& call) {
    const auto done = libqueue::operations{call.database()}.discard(only(call), false);
    return reply_json(boost::json::object{{"id", call.id()}, {"discarded", done > 0}});
}

// Whole letters of one page, as lines, as many as fit. The header's cursor is behind the last one
// sent: what was left out begins the next page.
answer export_letters(api_call& call) {
    const auto page = failures_of(call).find(filter_of(call), call.cursor(), call.limit()).value();
    answer said{200, {}, "application/x-ndjson"};
    std::optional<std::string> next = page.next;
    for (std::size_t i = 0; i < page.rows.rows.size(); ++i) {
        const auto letter = failures_of(call).show(std::stoll(page.rows.rows[i].front().value()));
        // Somebody may have replayed it meanwhile.
        if (!letter) {
            continue;
        }
        const std::string line = json_object(*letter, 0) + "\n";
        if (!said.body.empty() && said.body.size() + line.size() > export_bytes) {
            next = page.behind.at(i - 1);
            break;
        }
        said.body += line;
    }
    if (next) {
        said.with("X-Next-Cursor", seal_cursor(*next));
    }
    return said;
}

constexpr std::array filtered{filter_parameter};
constexpr std::array grouped{
    filter_parameter,
    field{"hours", value_type::integer, "What `series` covers; 24 unless given.", false, 1, 8760},
};
constexpr std::array group_path{
    field{"fingerprint", value_type::text, "Of the group.", true, 1, 64},
};
constexpr std::array note_body{
    field{"note", value_type::text, "For people; none unless given.", false, 0, 4096},
    field{"muted", value_type::boolean, "Last in lists, and silent."},
};
constexpr std::array replay_body{
    field{"payload", value_type::json, "Replay as a new job with this payload."},
    field{"queue", value_type::text, "Replay into this queue.", false, 1, 64},
};

constexpr std::array rows{
    route{.path = "/dead-letters",
          .right = "dead_letters.read",
          .summary = "Dead letters by filter, the latest first, without payloads.",
          .parameters = filtered,
          .answers = shape::list,
          .pages = true,
          .run = list_letters},
    route{.path = "/dead-letters/groups",
          .right = "dead_letters.read",
          .summary = "Dead letters grouped by what killed them.",
          .parameters = grouped,
          .answers = shape::list,
          .run = list_groups},
    route{.path = "/dead-letters/export",
          .right = "dead_letters.read",
          .summary = "A page of dead letters with all they hold; X-Next-Cursor goes on.",
          .parameters = filtered,
          .answers = shape::lines,
          .pages = true,
          .run = export_letters},
    route{.path = "/dead-letters/{id}",
          .right = "dead_letters.read",
          .summary = "Everything about one dead letter.",
          .run = show_letter},
    route{.method = verb::put,
          .path = "/dead-letters/groups/{fingerprint}",
          .right = "failures.annotate",
          .summary = "Note and mute a failure group.",
          .parameters = group_path,
          .body = note_body,
          .answers = shape::nothing,
          .status = 204,
          .run = note_group},
    route{.method = verb::post,
          .path = "/dead-letters/{id}/replay",
          .right = "dead_letters.replay",
          .summary = "Put one dead letter back in line.",
          .body = replay_body,
          .run = replay_letter},
    route{.method = verb::post,
          .path = "/dead-letters/{id}/discard",
          .right = "dead_letters.discard",
          .summary = "Delete one dead letter for good.",
          .run = discard_letter},
};

}  // namespace

std::span<const route> dead_letter_routes() {
    return rows;
}

}  // namespace workerd::api
