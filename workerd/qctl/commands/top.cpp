#include "commands/commands.hpp"
#include "faults.hpp"
#include "json_members.hpp"
#include "row_builder.hpp"
#include "server/api_client.hpp"
#include "terminal.hpp"
#include "top_frame.hpp"

#include <libqueue/overview.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace qctl {

namespace {

using libqueue::report;
using std::chrono::milliseconds;

constexpr milliseconds usual_interval{2'000};
constexpr milliseconds least_interval{200};

report row_at(const report& of, std::size_t row) {
    report one;
    one.columns = of.columns;
    one.rows = {of.rows[row]};
    return one;
}

std::optional<double> figure(const report& row, std::string_view name) {
    const auto text = field_of(row, name);
    return text ? std::optional{std::strtod(text->c_str(), nullptr)} : std::nullopt;
}

std::int64_t whole(const report& row, std::string_view name) {
    return static_cast<std::int64_t>(figure(row, name).value_or(0));
}

bool truth(const report& row, std::string_view name) {
    const auto text = field_of(row, name).value_or("");
    return text == "t" || text == "true";
}

void take_queues(const report& rows, top_frame& into) {
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const auto row = row_at(rows, i);
        top_queue queue;
        queue.name = field_of(row, "queue").value_or("");
        queue.ready = whole(row, "ready");
        queue.scheduled = whole(row, "scheduled");
        queue.retrying = whole(row, "retrying");
        queue.running = whole(row, "running");
        queue.dead = whole(row, "dead");
        queue.oldest_seconds = figure(row, "oldest_waiting_seconds");
        if (const auto minute = figure(row, "finished_per_minute")) {
            queue.per_second = *minute / 60;
        }
        queue.failed_percent = figure(row, "failed_percent");
        queue.late = truth(row, "late");
        queue.paused = truth(row, "paused");
        into.queues.push_back(std::move(queue));
    }
}

void take_workers(const report& rows, top_frame& into) {
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const auto row = row_at(rows, i);
        top_worker worker;
        worker.name = field_of(row, "name").value_or("");
        worker.state = field_of(row, "state").value_or("");
        worker.live = truth(row, "live");
        worker.active = whole(row, "active");
        for (const auto& each : json_texts(field_of(row, "queues").value_or("[]"))
                                    .value_or(std::vector<std::string>{})) {
            worker.queues += (worker.queues.empty() ? "" : " ") + each;
        }
        into.workers.push_back(std::move(worker));
    }
    // Who does not answer comes first, then who has most to do.
    std::ranges::stable_sort(into.workers, [](const top_worker& a, const top_worker& b) {
        return a.live != b.live ? b.live : a.active > b.active;
    });
}

void take_unhandled(const report& rows, top_frame& into) {
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const auto row = row_at(rows, i);
        top_kind kind;
        kind.name = field_of(row, "kind").value_or("");
        kind.says =
            field_of(row, "waiting").value_or("jobs") + " waiting, no live worker handles it";
        kind.bad = true;
        into.kinds.push_back(std::move(kind));
    }
}

// Of all queues together.
void take_rates(top_frame& into) {
    double finished = 0;
    double failed = 0;
    bool any = false;
    for (const auto& each : into.queues) {
        any = any || each.per_second;
        finished += each.per_second.value_or(0);
        failed += each.per_second.value_or(0) * each.failed_percent.value_or(0) / 100;
    }
    if (any) {
        into.completed_per_second = finished - failed;
        into.failed_per_second = failed;
    }
}

// The same figures as the dashboard's first page, in one question.
void take_overview(context& with, top_frame& into) {
    auto* const server = with.server();
    if (server == nullptr) {
        take_queues(libqueue::overview{with.client()}.queues(), into);
        take_workers(with.operations().list_workers(), into);
        return;
    }
    const auto all = server->object({"GET", "/overview"}).value();
    take_queues(read_page(field_of(all, "queues").value_or("[]")).rows, into);
    // Who is kept to one tenant is told nothing of the workers.
    take_workers(read_page(field_of(all, "workers").value_or("[]")).rows, into);
}

std::string place_of(const settings& options) {
    if (!options.server.empty()) {
        return options.server;
    }
    return options.dsn.empty() ? std::string{"database of PG*"} : masked_dsn(options.dsn);
}

top_frame sample(context& with) {
    top_frame frame;
    frame.at = system_now();
    frame.place = place_of(with.options);
    take_overview(with, frame);
    take_unhandled(with.operations().unhandled_kinds(), frame);
    take_rates(frame);
    return frame;
}

std::string why_not(const std::exception& of) {
    return of.what();
}

// Asks again and again on a thread of its own, so that keys are answered while a statement takes
// its time. The context is this thread's alone while it runs.
class sampler {
   public:
    sampler(context& with, milliseconds interval)
        : with_{with},
          interval_{interval},
          bell_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
          thread_{[this] {
              run();
          }} {}

    /// Waits for what is being asked.
    ~sampler() {
        static_cast<void>(stop());
        thread_.join();
        ::close(bell_);
    }
    sampler(const sampler&) = delete;
    sampler& operator=(const sampler&) = delete;

    /// Nothing is asked from now on; whether something still is. All of it must live on until that
    /// has ended.
    [[nodiscard]] bool stop() {
        bool busy = false;
        {
            const std::lock_guard hold{mutex_};
            stopped_ = true;
            busy = busy_;
        }
        wake_.notify_all();
        return busy;
    }

    [[nodiscard]] int bell() const noexcept { return bell_; }

    /// The latest frame, once.
    std::optional<top_frame> take() {
        eventfd_t rings = 0;
        static_cast<void>(::eventfd_read(bell_, &rings));
        const std::lock_guard hold{mutex_};
        return std::exchange(latest_, std::nullopt);
    }

    void refresh() {
        {
            const std::lock_guard hold{mutex_};
            now_ = true;
        }
        wake_.notify_all();
    }

    void pause(bool paused) {
        {
            const std::lock_guard hold{mutex_};
            paused_ = paused;
        }
        wake_.notify_all();
    }

   private:
    void run() {
        std::unique_lock hold{mutex_};
        while (!stopped_) {
            if (!paused_ || now_) {
                now_ = false;
                busy_ = true;
                hold.unlock();
                auto frame = attempt();
                hold.lock();
                busy_ = false;
                latest_ = std::move(frame);
                static_cast<void>(::eventfd_write(bell_, 1));
            }
            wake_.wait_for(hold, interval_, [this] { return stopped_ || now_; });
        }
    }

    // A database that is away is shown, with the figures of before: it may come back.
    top_frame attempt() {
        try {
            last_ = sample(with_);
            last_.problem.clear();
        } catch (const std::exception& why) {
            last_.problem = why_not(why);
            if (last_.place.empty()) {
                last_.place = place_of(with_.options);
                last_.at = system_now();
            }
        }
        return last_;
    }

    context& with_;
    milliseconds interval_;
    int bell_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<top_frame> latest_;
    top_frame last_;
    bool stopped_{false};
    bool paused_{false};
    bool now_{false};
    bool busy_{false};
    std::thread thread_;
};

top_view view_from(const context& with) {
    top_view how;
    how.color = with.options.color_out;
    how.filter = with.call.text("filter").value_or("");
    if (const auto order = with.call.text("sort")) {
        const auto known = parse_top_order(*order);
        if (!known) {
            throw usage("--sort: expected worst, name, ready, running, dead, oldest or rate, got " +
                        in_quotes(*order));
        }
        how.order = *known;
    }
    return how;
}

report queue_rows(const std::vector<top_queue>& queues) {
    report rows;
    for (const auto& each : queues) {
        row_builder row;
        const auto number = [&](std::string name, const std::optional<double>& value) {
            row.number(std::move(name), value);
        };
        row.text("queue", each.name)
            .integer("ready", each.ready)
            .integer("scheduled", each.scheduled)
            .integer("retrying", each.retrying)
            .integer("running", each.running)
            .integer("dead", each.dead);
        number("oldest_seconds", each.oldest_seconds);
        number("per_second", each.per_second);
        number("failed_percent", each.failed_percent);
        row.boolean("paused", each.paused);
        append_rows(rows, row.done());
    }
    return rows;
}

exit_code print_once(context& with, top_view how) {
    const auto frame = sample(with);
    how.width = with.options.out_is_terminal ? with.options.width : 200;
    if (with.options.format != output_format::table) {
        with.print_list(queue_rows(shown_queues(frame, how)));
        return exit_code::ok;
    }
    for (const auto& line : top_lines(frame, how)) {
        write_output(line + '\n');
    }
    return exit_code::ok;
}

exit_code watch(sampler& from, top_view how) {
    full_screen screen;
    top_frame frame;
    frame.at = system_now();
    frame.problem = "asking";
    std::string typed;
    while (true) {
        how.width = screen.width();
        how.height = screen.height();
        screen.draw(top_lines(frame, how));
        constexpr milliseconds look_up{1'000};
        constexpr milliseconds whole_sequence{50};
        if (!screen.wait(typed, from.bell(), typed.empty() ? look_up : whole_sequence)) {
            return exit_code::ok;
        }
        if (auto fresh = from.take()) {
            frame = std::move(*fresh);
        }
        bool more = !typed.empty();
        while (more) {
            const auto before = typed.size();
            const auto what = read_key(typed, before == 1 && typed[0] == '\x1b');
            more = !typed.empty() && typed.size() < before;
            const bool chosen = !how.typing && !how.help;
            if (what.key == top_key::interrupt) {
                return exit_code::interrupted;
            }
            if (what.key == top_key::quit && chosen) {
                return exit_code::ok;
            }
            if (what.key == top_key::suspend) {
                screen.suspend();
                continue;
            }
            if (what.key == top_key::refresh && chosen) {
                from.refresh();
            }
            press(how, what, shown_queues(frame, how).size());
            from.pause(how.paused);
        }
    }
}

}  // namespace

exit_code run_top(context& with) {
    auto how = view_from(with);
    milliseconds interval = usual_interval;
    if (const auto given = with.call.text("interval")) {
        interval = read_duration(*given, "--interval");
        if (interval < least_interval) {
            throw usage("--interval: expected at least 200ms, got " + in_quotes(*given));
        }
    }
    const bool terminal = with.options.in_is_terminal && with.options.out_is_terminal;
    if (with.call.has("once") || !terminal || with.options.format != output_format::table) {
        return print_once(with, how);
    }
    sampler from{with, interval};
    const auto code = watch(from, how);
    // Nobody waits ten seconds for a `q`: what asks goes down with the process, and nothing it uses
    // before it.
    if (from.stop()) {
        std::_Exit(static_cast<int>(code));
    }
    return code;
}

}  // namespace qctl
