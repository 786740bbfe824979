#include "engine/lane.hpp"

#include "engine/runtime.hpp"
#include "engine/silence.hpp"
#include "engine/turn.hpp"

#include <sql/commit_durably.hpp>
#include <sql/set_up_turn.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace libqueue::engine {
namespace {

using turn::claim_of;

constexpr std::chrono::milliseconds retry_base{50};
constexpr std::chrono::milliseconds retry_cap{2'000};
constexpr std::chrono::seconds bell_min{40};
// Whoever enqueues a job due within a minute rings; later ones are learnt of in time by this.
constexpr std::chrono::seconds due_look_interval{30};

}  // namespace

lane::lane(runtime& shared, int number)
    : shared_{shared}, number_{number}, connection_{shared.io}, wake_{shared.io} {}

lane::~lane() = default;

void lane::acknowledge(acknowledgement ack) {
    pending_.push_back(std::move(ack));
    wake_.notify();
}

void lane::give_back(const run_ptr& run) {
    returning_.push_back(run);
    wake_.notify();
}

void lane::drop_leases() {
    leases_.clear();
    pending_.clear();
    returning_.clear();
    doubtful_.clear();
    slots_.clear();
}

void lane::hold_slots(job_run& run, const pg::result& rows, int row) {
    run.limits = limits_.read(limiter::limits_text(rows, row));
    slots_.take(run);
}

bool lane::settled() const noexcept {
    return pending_.empty() && returning_.empty() && doubtful_.empty() && batch_.empty() &&
           batch_returns_.empty() && claims_.empty();
}

void lane::append_leases(std::vector<std::int64_t>& known) const {
    for (const auto& [lease, jobs] : leases_) {
        known.push_back(lease);
    }
}

bool lane::wants_claim(queue_state& queue, clock::time_point now) const {
    if (isolating_ || !shared_.may_claim() || !shared_.suspects.admits_others() || queue.id == 0 ||
        turn::budget(queue, now) <= 0) {
        return false;
    }
    return limiter::wants(queue, now) ||
           (now >= queue.watch.next_look ? turn::has_room(queue)
                                         : turn::has_room_for_strays(queue));
}

/// One lane is enough for jobs that run one at a time.
std::optional<suspects::place> lane::wants_suspect() const {
    return number_ == 0 && !isolating_ && shared_.may_claim() ? shared_.suspects.next_place()
                                                              : std::nullopt;
}

bool lane::has_work(clock::time_point now) const {
    if (!pending_.empty() || !returning_.empty() || !doubtful_.empty() ||
        wants_suspect().has_value()) {
        return true;
    }
    return std::any_of(shared_.queues.begin(), shared_.queues.end(), [&](const auto& queue) {
        return wants_claim(*queue, now) || admission::owed(*queue, now) ||
               (queue->watch.clear_bell && !shared_.stopping);
    });
}

clock::time_point lane::next_look() const {
    clock::time_point soonest = clock::now() + std::chrono::seconds{5};
    for (const auto& queue : shared_.queues) {
        soonest = queue->keys.owed ? std::min(soonest, queue->keys.due) : soonest;
    }
    if (!shared_.may_claim() || !shared_.suspects.admits_others()) {
        return soonest;
    }
    for (const auto& queue : shared_.queues) {
        if (queue->id != 0 && turn::budget(*queue, clock::now()) > 0) {
            soonest = std::min({soonest, limiter::next_look(*queue),
                                turn::has_room(*queue) ? queue->watch.next_look : soonest});
        }
    }
    return soonest;
}

boost::asio::awaitable<void> lane::run() {
    while (!shared_.stopping) {
        std::unique_ptr<pg::sql_failure> failed;
        try {
            co_await step();
        } catch (const pg::sql_failure& why) {
            failed = std::make_unique<pg::sql_failure>(why);
        }
        if (failed != nullptr) {
            turn_failed(*failed);
            // A timer of its own: finishing jobs must not hurry the next try.
            boost::asio::steady_timer pause{shared_.io};
            pause.expires_after(std::min(retry_cap, retry_base * (1 << std::min(failures_++, 6))));
            co_await pause.async_wait(use_ec);
        }
    }
    connection_.close();
}

boost::asio::awaitable<void> lane::step() {
    if (shared_.worker_id == 0) {
        co_await wake_.wait_until(clock::now() + std::chrono::seconds{1});
        co_return;
    }
    if (!connection_.is_open()) {
        co_await open();
    }
    if (!doubtful_.empty()) {
        co_await settle_doubt();
    }
    if (has_work(clock::now())) {
        co_await turn();
        failures_ = 0;
        co_return;
    }
    co_await rest();
}

boost::asio::awaitable<void> lane::rest() {
    co_await ask_for_sign_of_life(connection_);
    co_await wake_.wait_until(std::min(next_look(), sign_of_life_due(connection_)));
}

boost::asio::awaitable<void> lane::open() {
    const std::string name = "libqueue worker turn " + std::to_string(number_);
    co_await connection_.connect(shared_.options.dsn, name, std::chrono::seconds{10},
                                 shared_.options.pooler);
    if (connection_.pooled()) {
        co_return;  // What is set in a session would hit others; each turn says it for itself.
    }
    // Generic plans: the arrays differ in every turn, the plan does not. Index scans always: the
    // line is often analysed while empty.
    connection_.send_text("SET plan_cache_mode = force_generic_plan");
    connection_.send_text("SET enable_seqscan = off");
    connection_.send_text("SET enable_bitmapscan = off");
    // A turn is over before a compiler is: with wrong statistics it would be called for each.
    connection_.send_text("SET jit = off");
    // What the role says otherwise: a claim steps over what others hold, a finish waits for them.
    connection_.send_text("SET default_transaction_isolation = 'read committed'");
    connection_.send_text(std::string{sql::commit_durably});
    co_await connection_.run();
}

void lane::take_batch() {
    const std::size_t most = isolating_ ? 1 : turn_share(pending_);
    if (pending_.size() <= most) {
        batch_ = std::exchange(pending_, {});
    } else {
        const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(most);
        batch_.assign(std::make_move_iterator(pending_.begin()), std::make_move_iterator(end));
        pending_.erase(pending_.begin(), end);
    }
    batch_returns_ = std::exchange(returning_, {});
    for (const acknowledgement& ack : batch_) {
        slots_.give(ack.job);
    }
    for (const run_ptr& run : batch_returns_) {
        slots_.give(run->job.id);
    }
    if (slots_.changed()) {
        shared_.limits_changed();  // this turn's claims see them free already
    }
}

boost::asio::awaitable<void> lane::turn() {
    turn_worker_ = shared_.worker_id;
    take_batch();
    if (connection_.pooled()) {
        connection_.send_text(std::string{sql::set_up_turn});
    }
    send_finishes();
    send_returns();
    send_slots();
    std::vector<queue_state*> arming;
    send_doorbells(arming);
    send_admissions();
    send_claims(arming);
    const turn::freight boundary{batch_, !batch_returns_.empty(), !claims_.empty()};
    turn::pass_boundary(connection_, boundary, false);
    const auto sent_at = clock::now();
    const std::vector<pg::result> results = co_await connection_.run();
    turn::pass_boundary(connection_, boundary, true);
    const std::chrono::duration<double> took = clock::now() - sent_at;
    const std::uint64_t claimed_before = shared_.claimed;
    accept(results, took.count());
    if (boundary.claims && shared_.watched) {
        event e{event_type::jobs_claimed};
        e.worker = shared_.worker_id;
        e.count = static_cast<std::int64_t>(shared_.claimed - claimed_before);
        e.duration = std::chrono::duration_cast<std::chrono::microseconds>(took);
        shared_.emit(e);
    }
    isolating_ = isolating_ && !pending_.empty();
}

void lane::send_finishes() {
    const turn::finishes_sent sent =
        turn::send_finishes(connection_, shared_.sql, shared_.worker_id, batch_);
    expected_.insert(expected_.end(), static_cast<std::size_t>(sent.standing), answer::finished);
    expected_.insert(expected_.end(), static_cast<std::size_t>(sent.other), answer::other);
    for (const acknowledgement& ack : batch_) {
        if (ack.attached && ack.queue != nullptr) {
            admission::owe(*ack.queue);
        }
    }
}

void lane::send_admissions() {
    const auto now = clock::now();
    for (const auto& queue : shared_.queues) {
        if (admission::owed(*queue, now) || (queue->keys.used && wants_claim(*queue, now))) {
            admissions_.emplace_back(*queue, now);
            connection_.send(shared_.sql.admit_keys, admissions_.back().params());
            expect(answer::admitted);
        }
    }
}

void lane::send_returns() {
    if (!batch_returns_.empty()) {
        connection_.send(shared_.sql.return_unstarted,
                         turn::return_params(shared_.worker_id, batch_returns_));
        expect(answer::other);
    }
    std::unordered_map<std::int64_t, int> said;
    for (const acknowledgement& ack : batch_) {
        ++said[ack.lease];
    }
    for (const run_ptr& run : batch_returns_) {
        ++said[run->job.lease];
    }
    std::vector<std::int64_t> done;
    for (const auto& [lease, jobs] : said) {
        const auto held = leases_.find(lease);
        if (held != leases_.end() && held->second <= jobs) {
            done.push_back(lease);
        }
    }
    if (!done.empty()) {
        pg::params parameters;
        parameters.int8(shared_.worker_id).int8_array(done);
        connection_.send(shared_.sql.release_leases, parameters);
        expect(answer::other);
    }
}

void lane::send_slots() {
    if (slots_.changed()) {
        connection_.send(shared_.sql.hold_slots, slots_.params(shared_.worker_id, number_));
        expect(answer::other);
        slots_.told();
    }
    if (const auto p = provider_reports::params(batch_, shared_.worker_id, number_); p) {
        connection_.send(shared_.sql.note_reports, *p);
        expect(answer::other);
    }
}

void lane::send_doorbells(std::vector<queue_state*>& arming) {
    const auto now = clock::now();
    std::vector<std::int32_t> clear;
    std::vector<std::int32_t> arm;
    const auto poll = shared_.options.poll_interval;
    // Long, so that an idle worker seldom says it again; a worker killed asleep makes enqueuers
    // notify in vain for so long.
    const auto armed_for = std::max<std::chrono::milliseconds>(2 * poll, bell_min);
    for (const auto& queue : shared_.queues) {
        if (queue->watch.clear_bell) {
            queue->watch.clear_bell = false;
            clear.push_back(queue->id);
        } else if (queue->watch.empty_looks >= looks_before_arming && wants_claim(*queue, now)) {
            arming.push_back(queue.get());
            if (!queue->watch.armed || queue->watch.armed_until - now < poll) {
                arm.push_back(queue->id);
                queue->watch.armed = true;
                queue->watch.armed_until = now + armed_for;
            }
        }
    }
    if (!clear.empty()) {
        connection_.send(shared_.sql.set_doorbells, turn::doorbell_params(clear, 0));
        expect(answer::other);
    }
    if (!arm.empty()) {
        connection_.send(shared_.sql.set_doorbells,
                         turn::doorbell_params(arm, armed_for.count() + poll.count()));
        expect(answer::other);
    }
}

void lane::send_claims(const std::vector<queue_state*>& arming) {
    const auto now = clock::now();
    if (const auto place = wants_suspect(); place.has_value()) {
        send_suspect_claim(*place);
    }
    for (const auto& queue : shared_.queues) {
        if (wants_claim(*queue, now)) {
            send_claim(*queue,
                       std::find(arming.begin(), arming.end(), queue.get()) != arming.end());
        }
    }
}

void lane::send_suspect_claim(const suspects::place& at) {
    if (at.group == nullptr) {
        const auto request = turn::claim_request::of_suspect(*at.queue);
        claims_.push_back(claim_sent{at.queue, request.most(), {}, claim_of::suspect});
        connection_.send(shared_.sql.claim, request.params(shared_.worker_id));
    } else {
        const auto request = limiter::request::of_suspect(*at.queue, *at.group);
        send_limited_claim(claim_sent{at.queue, request.most(), {}, claim_of::suspect, at.group},
                           request);
    }
    expect(answer::claimed);
    shared_.suspects.claim_sent();
}

void lane::send_claim(queue_state& queue, bool arming) {
    const auto now = clock::now();
    if (turn::has_room_for_strays(queue)) {
        turn::strays_request request{queue, now};
        claims_.push_back(claim_sent{&queue, request.count(), request.kinds(), claim_of::strays});
        connection_.send(shared_.sql.claim_strays, request.params(shared_.worker_id));
        expect(answer::claimed);
    }
    send_limited(queue);
    if (now < queue.watch.next_look || turn::budget(queue, now) <= 0) {
        return;
    }
    turn::claim_request request{queue, now};
    if (request.empty()) {
        return;
    }
    claims_.push_back(claim_sent{&queue, request.most(), request.kinds(), claim_of::line});
    connection_.send(shared_.sql.claim, request.params(shared_.worker_id));
    expect(answer::claimed);
    if (queue.watch.empty_looks > 0) {
        // One lane is enough to see that there is still nothing.
        queue.watch.next_look =
            now + look_interval(queue.watch.empty_looks, shared_.options.poll_interval);
    }
    if (arming && (now >= queue.watch.next_due_look || now >= queue.watch.next_due)) {
        queue.watch.next_due_look = now + due_look_interval;
        connection_.send(shared_.sql.next_due, request.next_due_params());
        expect(answer::next_due);
    }
}

/// Before the unlimited kinds, whose backlog would leave no room; of which these leave a half.
void lane::send_limited(queue_state& queue) {
    const auto now = clock::now();
    const bool share = now >= queue.watch.next_look && turn::has_room(queue);
    for (limited_group* group : limiter::to_ask(queue, now)) {
        const int budget = turn::budget(queue, now);
        if (budget <= 0 || (share && budget == 1 && queue.limited_first % 2 == 0)) {
            return;
        }
        limiter::request request{queue, *group, share ? (budget + 1) / 2 : budget};
        if (request.empty()) {
            continue;
        }
        send_limited_claim(
            claim_sent{&queue, request.most(), request.kinds(), claim_of::limited, group}, request);
        expect(answer::claimed);
    }
}

void lane::send_limited_claim(claim_sent sent, const limiter::request& request) {
    claims_.push_back(std::move(sent));
    slots_.asked();
    connection_.send(shared_.sql.claim_limited, request.params(shared_.worker_id, number_));
}

void lane::accept(const std::vector<pg::result>& results, double seconds) {
    LIBQUEUE_ASSERT(results.size() == expected_.size());
    std::vector<std::int64_t> standing;
    std::vector<claim_sent> claims = std::exchange(claims_, {});
    std::vector<admission> admissions = std::exchange(admissions_, {});
    const std::vector<answer> expected = std::exchange(expected_, {});
    const auto sent_at = clock::now() - std::chrono::duration_cast<clock::duration>(
                                            std::chrono::duration<double>{seconds});
    std::size_t claim = 0;
    std::size_t admitted = 0;
    std::vector<queue_state*> pumped;
    for (std::size_t at = 0; at < results.size(); ++at) {
        const pg::result& rows = results[at];
        if (expected[at] == answer::finished) {
            for (int row = 0; row < rows.rows(); ++row) {
                standing.push_back(rows.binary_int64(row, 0));
            }
        } else if (expected[at] == answer::admitted) {
            admissions[admitted++].accept(rows, sent_at);
        } else if (expected[at] == answer::claimed) {
            pumped.push_back(claims[claim].queue);
            accept_claim(claims[claim++], rows, seconds);
        } else if (expected[at] == answer::next_due && claim > 0 && rows.rows() == 1) {
            auto& watch = claims[claim - 1].queue->watch;
            watch.next_due = clock::time_point::max();
            if (!rows.is_null(0, 0)) {
                watch.next_due = clock::now() + std::chrono::microseconds{std::max<std::int64_t>(
                                                    0, rows.binary_int64(0, 0))};
                watch.next_look = std::min(watch.next_look, watch.next_due);
            }
        }
    }
    accept_finished(standing);
    // Handlers start only now, when everything about this turn is on the books.
    for (queue_state* queue : pumped) {
        shared_.pump(*queue);
    }
}

void lane::accept_finished(const std::vector<std::int64_t>& standing) {
    const std::vector<acknowledgement> batch = std::exchange(batch_, {});
    const std::vector<run_ptr> returns = std::exchange(batch_returns_, {});
    const auto settle = [this](std::int64_t lease) {
        if (const auto held = leases_.find(lease); held != leases_.end() && --held->second <= 0) {
            leases_.erase(held);
        }
    };
    for (const acknowledgement& ack : batch) {
        if (ack.recorded ||
            std::find(standing.begin(), standing.end(), ack.lease) != standing.end()) {
            settle(ack.lease);
            look_when_due(ack);
            if (ack.in_batch && ack.delay_us < 0) {
                shared_.count_batches();
            }
            continue;
        }
        leases_.erase(ack.lease);
        slots_.drop_lease(ack.lease);
        shared_.lose_lease(ack.lease);
        libqueue::job named;
        named.id = ack.job;
        named.lease = ack.lease;
        event e{event_type::lease_lost};
        e.job = &named;
        e.worker = shared_.worker_id;
        e.message = "the finish was refused: another worker owns the job";
        shared_.emit(e);
    }
    for (const run_ptr& run : returns) {
        settle(run->job.lease);
    }
}

/// A sleeping queue must not learn of its own retry by the next poll only.
void lane::look_when_due(const acknowledgement& ack) {
    if (ack.queue != nullptr && ack.delay_us >= 0) {
        auto& next = ack.queue->watch.next_look;
        next = std::min(next, clock::now() + std::chrono::microseconds{ack.delay_us});
    }
}

void lane::accept_claim(const claim_sent& sent, const pg::result& rows, double seconds) {
    queue_state& queue = *sent.queue;
    release(sent);
    queue.turn_seconds = 0.8 * queue.turn_seconds + 0.2 * seconds;
    const int jobs = sent.limited == nullptr ? rows.rows() : limiter::jobs_in(rows);
    if (sent.what == claim_of::suspect) {
        accept_suspect(sent, rows, jobs);
    }
    if (shared_.worker_id != turn_worker_) {
        return;  // Declared dead while the turn was away: these belong to whoever rescues us.
    }
    const auto now = clock::now();
    if (sent.what == claim_of::limited) {
        limiter::note_answer(queue, *sent.limited, rows, shared_.options.poll_interval);
    }
    if (jobs == 0) {
        if (sent.what == claim_of::line) {
            const auto sent_at = now - std::chrono::duration_cast<clock::duration>(
                                           std::chrono::duration<double>{seconds});
            ++queue.watch.empty_looks;
            queue.watch.next_look =
                now + look_interval(queue.watch.empty_looks, shared_.options.poll_interval);
            // What came due while the turn was away was not seen by it: look again at once.
            for (const auto due : {queue.watch.next_due, queue.keys.due}) {
                queue.watch.next_look =
                    due > sent_at ? std::min(queue.watch.next_look, due) : queue.watch.next_look;
            }
        }
        return;
    }
    connection_.pass(pg::failpoint::claim_after_commit);
    shared_.claimed += static_cast<std::uint64_t>(jobs);
    const claim_of by = sent.limited == nullptr ? sent.what : claim_of::limited;
    const std::int64_t lease = turn::take_claimed(rows, jobs, by, shared_, queue, *this);
    leases_[lease] += jobs;
    if (sent.what == claim_of::suspect || sent.what == claim_of::limited) {
        return;
    }
    queue.watch.empty_looks = 0;
    queue.watch.next_look = clock::time_point::min();
    queue.watch.next_due_look = clock::time_point::min();
    if (queue.watch.armed) {
        queue.watch.armed = false;
        queue.watch.clear_bell = true;
    }
}

void lane::accept_suspect(const claim_sent& sent, const pg::result& rows, int jobs) {
    if (jobs == 0 && sent.limited != nullptr && limiter::blocked(rows)) {
        shared_.suspects.claim_blocked();
    }
    shared_.suspects.claim_answered(jobs > 0);
}

void lane::release(const claim_sent& sent) {
    sent.queue->claiming -= sent.reserved;
    for (const auto& [kind, reserved] : sent.kinds) {
        kind->claiming -= reserved;
    }
    if (sent.limited != nullptr) {
        sent.limited->asked = false;
    }
}

}  // namespace libqueue::engine
