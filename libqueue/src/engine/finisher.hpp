#pragma once

#include "engine/acknowledgement.hpp"
#include "engine/async.hpp"
#include "engine/handler_sql.hpp"
#include "engine/job_run.hpp"
#include "engine/statements.hpp"
#include "pg/pipeline.hpp"

#include <libqueue/outcome.hpp>

#include <array>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace libqueue::engine {

class runtime;

/// The end of one run, to be recorded together with what its handler wants done then.
class ending {
   public:
    ending(run_ptr run_, outcome said_, acknowledgement ack_)
        : run{std::move(run_)}, said{std::move(said_)}, ack{std::move(ack_)} {}
    run_ptr run;
    outcome said;
    acknowledgement ack;
};

/// Runs that are recorded together or not at all: one, or a batch.
class finish_group {
   public:
    std::vector<ending> runs;
    std::vector<statement> also;
};

/// Records runs whose handlers want statements executed in the same transaction, on connections of
/// its own, made at their first use: what others write must not hold up, or break, the turns of
/// jobs that want nothing. Groups that wait are recorded by one transaction; when that fails, each
/// by its own. A lane learns afterwards that a job of its leases is done.
class finisher {
   public:
    explicit finisher(runtime& shared);
    finisher(const finisher&) = delete;
    finisher& operator=(const finisher&) = delete;

    /// Any number at any time; `runtime::recorded` or `runtime::unwritten` follows for each.
    void write(finish_group group);
    /// One per connection.
    boost::asio::awaitable<void> run(std::size_t number);
    void wake();
    static constexpr std::size_t connections{2};
    [[nodiscard]] pg::pipeline& connection(std::size_t number) noexcept {
        return seats_[number].connection;
    }

   private:
    /// A group whose statements are ready to be sent.
    class waiting_group {
       public:
        finish_group group;
        std::vector<bound_statement> also;
        bool alone{false};  // it was in a transaction that failed
        int tries{0};
    };
    /// One connection and who works on it.
    class seat {
       public:
        explicit seat(boost::asio::io_context& io) : connection{io}, wake{io} {}
        pg::pipeline connection;
        signal wake;
        bool busy{false};
    };
    boost::asio::awaitable<void> step(seat& at);
    boost::asio::awaitable<void> open(pg::pipeline& on);
    boost::asio::awaitable<void> record(pg::pipeline& on, std::vector<waiting_group>& taken);
    boost::asio::awaitable<bool> was_recorded(pg::pipeline& on,
                                              const std::vector<waiting_group>& taken);
    [[nodiscard]] std::vector<waiting_group> take();
    void put_back(std::vector<waiting_group> taken);
    void failed(std::vector<waiting_group> taken, const pg::sql_failure& why);

    runtime& shared_;
    std::array<seat, connections> seats_;
    std::deque<waiting_group> waiting_;
};

/// What records these runs and executes the statements, within the transaction under way.
void send_finish(pg::pipeline& on, const statements& sql, std::int64_t worker,
                 std::span<const acknowledgement> runs, std::span<const bound_statement> also);

}  // namespace libqueue::engine
