#include "commands/commands.hpp"
#include "confirm.hpp"
#include "row_builder.hpp"
#include "server/api_report.hpp"
#include "unwrapped.hpp"
#include "values.hpp"

#include <string>
#include <string_view>

namespace qctl {

namespace {

using libqueue::worker_wish;

// What a wish does, completing "This will ..." and "worker 17: ...".
class wish_words {
   public:
    worker_wish wish;
    std::string_view verb;  ///< of the worker that is named behind it
    std::string_view rest;
    std::string_view asked;
};

constexpr wish_words quiet{worker_wish::quiet, "keep", " from claiming jobs", "asked to be quiet"};
constexpr wish_words drain{worker_wish::drain, "end", " once it runs nothing", "asked to drain"};
constexpr wish_words halt{worker_wish::stop, "end", " as at SIGTERM", "asked to stop"};
constexpr wish_words resume{worker_wish::resume, "let", " go on", "asked to go on"};

void print_wish(context& with, std::int64_t worker, const std::string& what) {
    row_builder row;
    row.integer("id", worker).text("result", what);
    with.print_result("worker " + std::to_string(worker) + ": " + what, row.done());
}

exit_code ask(context& with, danger level, const wish_words& words) {
    const auto worker = read_id(with.call.arguments[0], "ID");
    const auto name = std::to_string(worker);
    demand_consent(with.options, level, name);
    if (with.options.dry_run) {
        static_cast<void>(unwrapped(with.operations().show_worker(worker)));
        print_wish(with, worker, "would be " + std::string{words.asked});
        return exit_code::ok;
    }
    if (level != danger::mild && with.options.can_ask()) {
        const auto one = unwrapped(with.operations().show_worker(worker));
        ask_consent(with.options, level, name,
                    std::string{words.verb} + " worker " + name + " (" +
                        field_of(one, "name").value_or("") + " on " +
                        field_of(one, "host").value_or("") + ")" + std::string{words.rest});
    }
    demand_done(with.operations().ask_worker(worker, words.wish));
    print_wish(with, worker, std::string{words.asked});
    return exit_code::ok;
}

}  // namespace

exit_code run_workers_list(context& with) {
    const auto rows = with.operations().list_workers();
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no worker has registered; start workerd to run jobs");
    }
    return exit_code::ok;
}

exit_code run_workers_show(context& with) {
    const auto worker = read_id(with.call.arguments[0], "ID");
    with.print_object(unwrapped(with.operations().show_worker(worker)));
    return exit_code::ok;
}

exit_code run_workers_quiet(context& with) {
    const auto done = ask(with, danger::moderate, quiet);
    if (!with.options.dry_run) {
        flush_output();
        with.notes.note("go on with: qctl workers resume " + with.call.arguments[0]);
    }
    return done;
}

exit_code run_workers_drain(context& with) {
    return ask(with, danger::moderate, drain);
}

exit_code run_workers_stop(context& with) {
    return ask(with, danger::moderate, halt);
}

exit_code run_workers_resume(context& with) {
    return ask(with, danger::mild, resume);
}

}  // namespace qctl
