#include "commands/commands.hpp"
#include "commands/sweep.hpp"
#include "confirm.hpp"
#include "dlq_filter.hpp"
#include "faults.hpp"
#include "payload.hpp"

namespace qctl {

namespace {

// A limit means the newest so many: they are looked up now and then named by id, so that what was
// shown is what is taken.
void apply_limit(context& with, dlq_choice& choice) {
    if (!with.call.has("limit")) {
        return;
    }
    const auto rows = with.operations().list_dead_letters(choice.filter).rows;
    libqueue::dead_letter_filter named;
    for (const auto& row : rows.rows) {
        named.ids.push_back(read_id(row[0].value_or(""), "id"));
    }
    // No id at all would mean every letter; 0 is nobody's.
    if (named.ids.empty()) {
        named.ids.push_back(0);
    }
    choice.filter = std::move(named);
}

// A dry run lists what would be taken, as `dlq list` would, and counts the rest.
exit_code show_plan(context& with, libqueue::dead_letter_filter filter, const std::string& verb) {
    constexpr int most_listed = 10'000;
    filter.limit = most_listed;
    auto operations = with.operations();
    with.print_list(operations.list_dead_letters(filter).rows);
    flush_output();
    with.notes.warn("would " + verb + " " +
                    counted(operations.count_dead_letters(filter), "dead letter", "dead letters"));
    return exit_code::ok;
}

danger discard_danger(const invocation& call) {
    return call.has("all") ? danger::severe : danger::moderate;
}

// Named letters are what the user has in hand; a filter may hold surprises.
danger replay_danger(const dlq_choice& choice) {
    return choice.by_id ? danger::mild : danger::moderate;
}

void ask_about(context& with, danger level, const dlq_choice& choice, const std::string& verb) {
    constexpr std::string_view name = "all";
    if (level == danger::none || level == danger::mild) {
        return;
    }
    const auto count = with.options.can_ask() ? with.operations().count_dead_letters(choice.filter)
                                              : std::int64_t{0};
    ask_consent(with.options, level, name,
                verb + " " + counted(count, "dead letter", "dead letters"));
}

libqueue::replay_options read_replay_options(const invocation& call) {
    libqueue::replay_options options;
    if (const auto rate = call.text("rate")) {
        options.per_second = read_rate(*rate, "--rate");
    }
    if (const auto edit = call.text("edit")) {
        options.payload = read_payload(*edit, "--edit");
    }
    options.to_queue = call.text("to");
    return options;
}

}  // namespace

exit_code run_dlq_replay(context& with) {
    auto choice = read_dlq_choice(with.call, system_now());
    demand_choice(with.call, choice);
    const auto level = replay_danger(choice);
    demand_consent(with.options, level, "all");
    const auto options = read_replay_options(with.call);
    const auto named = choice.by_id ? static_cast<std::int64_t>(choice.filter.ids.size()) : 0;
    apply_limit(with, choice);
    if (with.options.dry_run) {
        return show_plan(with, choice.filter, "replay");
    }
    ask_about(with, level, choice, "replay");
    sweep what;
    what.doing = "replaying";
    what.done = "replayed";
    what.thing = "dead letter";
    what.things = "dead letters";
    what.column = "replayed";
    what.wanted = named;
    what.run = [&](const libqueue::progress_callback& progress) {
        auto count = with.operations().replay(choice.filter, options, progress);
        if (!count) {
            throw to_stop(count.error());
        }
        return *count;
    };
    return run_sweep(with, what);
}

exit_code run_dlq_discard(context& with) {
    auto choice = read_dlq_choice(with.call, system_now());
    demand_choice(with.call, choice);
    const auto level = discard_danger(with.call);
    demand_consent(with.options, level, "all");
    const auto named = choice.by_id ? static_cast<std::int64_t>(choice.filter.ids.size()) : 0;
    apply_limit(with, choice);
    if (with.options.dry_run) {
        return show_plan(with, choice.filter, "discard");
    }
    ask_about(with, level, choice, "discard for good");
    sweep what;
    what.doing = "discarding";
    what.done = "discarded";
    what.thing = "dead letter";
    what.things = "dead letters";
    what.column = "discarded";
    what.wanted = named;
    what.run = [&](const libqueue::progress_callback& progress) {
        return with.operations().discard(choice.filter, false, progress);
    };
    return run_sweep(with, what);
}

}  // namespace qctl
