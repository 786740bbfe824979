#include "engine/async.hpp"
#include "engine/lane.hpp"
#include "engine/presence.hpp"
#include "engine/runtime.hpp"
#include "engine/sealing.hpp"
#include "engine/thrown.hpp"
#include "engine/turn.hpp"
#include "pg/connection.hpp"
#include "pg/pipeline.hpp"
#include "pg/schema_name.hpp"

#include <libqueue/testing.hpp>
#include <libqueue/version.hpp>
#include <sql/testing_admit_keys.hpp>
#include <sql/testing_find_place.hpp>
#include <sql/testing_next_due.hpp>

#include <boost/asio/io_context.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace libqueue::testing {
namespace {

using engine::run_ptr;
using std::chrono_literals::operator""s;

/// Longer than anybody stops a debugger: nobody else shall take these jobs for lost.
constexpr std::chrono::hours silence_allowed{24};

/// Where a waiting job stands.
struct place {
    int line_id;
    std::int64_t run_at;
    int queue_id;
    std::string queue;
    std::string kind;
    int priority;
    bool paused;
};

bool is_std_exception(const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::exception&) {
        return true;
    } catch (...) {
        return false;
    }
}

worker_options options_of(const std::string& dsn, const std::string& schema,
                          const std::vector<registration>& kinds,
                          std::shared_ptr<const keyring> keys) {
    worker_options options;
    options.keyring = std::move(keys);
    options.dsn = dsn;
    options.schema = schema;
    options.lease = silence_allowed;
    options.heartbeat = silence_allowed / 4;
    for (const registration& kind : kinds) {
        const std::string& queue = kind.options.queue.empty() ? "default" : kind.options.queue;
        const bool known =
            std::any_of(options.queues.begin(), options.queues.end(),
                        [&](const queue_options& each) { return each.name == queue; });
        if (!known) {
            options.queues.emplace_back(queue, 1);
        }
    }
    return options;
}

}  // namespace

class inline_worker::impl {
   public:
    impl(database& on, std::vector<registration> kinds, std::shared_ptr<const keyring> keys)
        : on_{on},
          kinds_{std::move(kinds)},
          options_{options_of(on.dsn(), on.client().schema(), kinds_, std::move(keys))},
          // A worker's own checks.
          checked_{options_, kinds_},
          shared_{io_, options_, kinds_},
          owner_{shared_, 0},
          connection_{io_} {
        perform("begin", begin());
    }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() {
        try {
            perform("end", end());
        } catch (const failure&) {
            // The database is gone, and the worker's row with it.
        }
    }

    run_result run(job_id id) {
        const place at = find(id);
        run_result result;
        result.id = id;
        result.kind = at.kind;
        perform("run", run_at(at, result));
        result.job = on_.client().get(id).value();
        if (result.thrown && !is_std_exception(result.thrown)) {
            std::rethrow_exception(result.thrown);
        }
        return result;
    }

    std::optional<job_id> next_due() {
        std::vector<std::string> names;
        for (const registration& kind : kinds_) {
            names.push_back(kind.kind);
        }
        exec(sql::testing_admit_keys, pg::params{});
        pg::params of;
        of.text_array(std::span<const std::string>{names});
        const pg::result row = exec(sql::testing_next_due, of);
        return row.rows() == 0 ? std::nullopt : std::optional{row.int64(0, 0)};
    }

   private:
    pg::result exec(std::string_view sql, const pg::params& parameters) {
        client& with = on_.client();
        return with.connection().exec(pg::with_schema(sql, with.schema()), parameters);
    }

    /// Runs the loop until the task is done; what it threw leaves here.
    void perform(const char* name, boost::asio::awaitable<void> task) {
        std::exception_ptr why;
        engine::task_group tasks{io_, [&why](const char*, const std::exception_ptr& thrown) {
                                     why = thrown;
                                 }};
        tasks.spawn(name, std::move(task));
        io_.restart();
        io_.run();
        if (why) {
            std::rethrow_exception(why);
        }
    }

    boost::asio::awaitable<void> begin() {
        co_await connection_.connect(options_.dsn, "libqueue inline worker", 10s);
        std::vector<std::string> queues;
        std::vector<std::string> names;
        for (const auto& queue : options_.queues) {
            pg::params name;
            name.text(queue.name);
            connection_.send(shared_.sql.ensure_queue, name);
            queues.push_back(queue.name);
        }
        for (const registration& kind : kinds_) {
            pg::params published = engine::kind_params(kind);
            connection_.send(shared_.sql.publish_kind, published);
            if (engine::has_kind_keeping(kind)) {
                pg::params keeping = engine::kind_keeping_params(kind);
                connection_.send(shared_.sql.set_kind_keeping, keeping);
            }
            names.push_back(kind.kind);
        }
        pg::params me;
        me.text("inline").text("localhost").int4(static_cast<std::int32_t>(::getpid()));
        me.text(version).text_array(std::span<const std::string>{queues});
        me.text_array(std::span<const std::string>{names});
        me.int4(static_cast<std::int32_t>(options_.heartbeat.count()));
        me.int4(static_cast<std::int32_t>(options_.lease.count()));
        connection_.send(shared_.sql.register_worker, me);
        const std::vector<pg::result> results = co_await connection_.run();
        shared_.worker_id = results.back().binary_int64(0, 0);
    }

    boost::asio::awaitable<void> end() {
        pg::params me;
        me.int8(shared_.worker_id);
        connection_.send(shared_.sql.deregister_worker, me);
        co_await connection_.run();
        connection_.close();
    }

    place find(job_id id) {
        exec(sql::testing_admit_keys, pg::params{});
        pg::params which;
        which.number(id);
        const pg::result row = exec(sql::testing_find_place, which);
        const std::string who = "job " + std::to_string(id);
        if (row.rows() == 0) {
            const auto job = on_.client().get(id);
            throw failed{who + ": expected in line, got " +
                         (job.has_value() ? std::string{to_string(job->state)} : "no such job")};
        }
        place at{static_cast<int>(row.int64(0, 0)),
                 row.int64(0, 1),
                 static_cast<int>(row.int64(0, 2)),
                 std::string{row.text(0, 3)},
                 std::string{row.text(0, 4)},
                 static_cast<int>(row.int64(0, 5)),
                 row.boolean(0, 6)};
        if (at.paused) {
            throw failed{who + ": its queue " + at.queue + " is paused"};
        }
        if (shared_.find_kind(at.kind) == nullptr) {
            throw failed{who + ": expected one of the kinds given, got " + at.kind};
        }
        return at;
    }

    /// The queue as the engine wants it, with the one line of this job.
    engine::queue_state& queue_of(const place& at) {
        engine::queue_state* queue = shared_.find_queue(at.queue_id);
        if (queue == nullptr) {
            shared_.queues.push_back(std::make_unique<engine::queue_state>());
            queue = shared_.queues.back().get();
            queue->name = at.queue;
            queue->id = at.queue_id;
        }
        queue->lines.clear();
        engine::line_state line;
        line.id = std::abs(at.line_id);  // minus: it is a suspect
        line.priority = at.priority;
        line.kind = shared_.find_kind(at.kind);
        queue->lines.push_back(std::move(line));
        return *queue;
    }

    boost::asio::awaitable<void> run_at(const place& at, run_result& result) {
        engine::queue_state& queue = queue_of(at);
        pg::params p;
        p.int8(shared_.worker_id).int4(at.queue_id);
        const std::vector<std::int32_t> lines{at.line_id};
        const std::vector<std::int64_t> times{at.run_at};
        const std::vector<std::int64_t> ids{result.id};
        p.int4_array(lines).timestamptz_array(times).int8_array(ids);
        connection_.send(shared_.sql.claim_strays, p);
        const std::vector<pg::result> claimed = co_await connection_.run();
        if (claimed.at(0).rows() == 0) {
            throw failed{"job " + std::to_string(result.id) + ": another worker has taken it"};
        }
        engine::turn::take_claimed(claimed.at(0), 1, engine::turn::claim_of::strays, shared_, queue,
                                   owner_);
        const run_ptr run = queue.unstarted.front();
        queue.unstarted.pop_front();
        --run->kind->unstarted;
        run->home = &shared_;
        run->started = engine::clock::now();
        run->deadline = run->started + run->kind->handler->options.timeout;
        std::optional<outcome> refused;
        if (engine::concerns_sealing(*run)) {
            refused = engine::open_payload(*run, shared_);
        }
        if (refused) {
            result.said = std::move(*refused);
        } else {
            co_await handle(*run, result);
            result.said = engine::runtime::heed_effects(*run, std::move(result.said));
        }
        engine::acknowledgement ack = shared_.decide(*run, result.said, result.thrown != nullptr);
        ack.log = run->take_log(true);
        std::unique_ptr<failure> refused_finish;
        try {
            co_await record(ack, result.said.also());
        } catch (const failure& why) {
            if (result.said.also().empty()) {
                throw;
            }
            refused_finish = std::make_unique<failure>(why);
        }
        if (refused_finish != nullptr) {
            result.said =
                retry(std::string{"what the handler wanted done with the finish failed: "} +
                      refused_finish->what());
            engine::acknowledgement instead = shared_.decide(*run, result.said, false);
            instead.log = std::move(ack.log);
            const std::vector<statement> nothing;
            co_await record(std::move(instead), nothing);
        }
    }

    /// A batch of one.
    static boost::asio::awaitable<outcome> handle_alone(const registration& by,
                                                        job_context& context) {
        std::vector<job_context*> one{&context};
        auto answer = by.handle_many(std::move(one));
        batch_outcome said = co_await std::move(answer);
        if (said.each.size() != 1) {
            throw failed{"the batch handler answered for " + std::to_string(said.each.size()) +
                         " of 1 jobs"};
        }
        outcome alone = std::move(said.each.front());
        for (statement& each : said.also) {
            alone = std::move(alone).also(std::move(each));
        }
        co_return alone;
    }

    static boost::asio::awaitable<void> handle(engine::job_run& run, run_result& result) {
        const registration& by = *run.kind->handler;
        const bool reconcile = run.job.reconcile;
        const auto& coroutine = reconcile ? by.reconcile : by.handle;
        const auto& blocking = reconcile ? by.reconcile_blocking : by.handle_blocking;
        job_context context{run};
        try {
            if (by.handle_many && !reconcile) {
                result.said = co_await handle_alone(by, context);
            } else if (coroutine) {
                result.said = co_await coroutine(context);
            } else if (blocking) {
                result.said = blocking(context);
            } else {
                result.said = unknown("kind " + run.job.kind + " has no reconcile handler");
            }
        } catch (...) {
            result.thrown = std::current_exception();
        }
        if (result.thrown) {
            result.said = retry(engine::what_of(result.thrown));
        }
    }

    boost::asio::awaitable<void> record(engine::acknowledgement ack,
                                        const std::vector<statement>& also) {
        const std::vector<engine::acknowledgement> one{std::move(ack)};
        const auto bound = engine::bound_statements(also, shared_.handler_texts);
        engine::turn::send_finishes(connection_, shared_.sql, shared_.worker_id, one);
        for (const engine::bound_statement& each : bound) {
            connection_.send(*each.what, each.with);
        }
        const std::vector<std::int64_t> leases{one.front().lease};
        pg::params done;
        done.int8(shared_.worker_id).int8_array(leases);
        connection_.send(shared_.sql.release_leases, done);
        const std::vector<pg::result> results = co_await connection_.run();
        if (results.at(0).rows() == 0) {
            throw failed{"job " + std::to_string(one.front().job) + ": its lease was lost"};
        }
    }

    database& on_;
    const std::vector<registration> kinds_;
    const worker_options options_;
    const worker checked_;
    boost::asio::io_context io_{1};
    engine::runtime shared_;
    engine::lane owner_;
    pg::pipeline connection_;
};

inline_worker::inline_worker(database& on, std::vector<registration> kinds,
                             std::shared_ptr<const keyring> keys)
    : impl_{std::make_unique<impl>(on, std::move(kinds), std::move(keys))} {}
inline_worker::~inline_worker() = default;

run_result inline_worker::run(job_id id) {
    return impl_->run(id);
}

std::vector<run_result> inline_worker::drain(int at_most) {
    std::vector<run_result> runs;
    while (const auto next = impl_->next_due()) {
        if (runs.size() == static_cast<std::size_t>(at_most)) {
            throw failed{"drain: expected an end within " + std::to_string(at_most) +
                         " runs, job " + std::to_string(*next) + " is still due"};
        }
        runs.push_back(impl_->run(*next));
    }
    return runs;
}

}  // namespace libqueue::testing
