#include "engine/turn.hpp"

#include "core/claim_budget.hpp"
#include "core/limits.hpp"
#include "engine/lane.hpp"
#include "engine/runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string_view>

namespace libqueue::engine::turn {
namespace {

// PostgreSQL counts microseconds from 2000-01-01.
constexpr std::chrono::microseconds postgres_epoch{946'684'800'000'000};

time_point from_postgres(std::int64_t micros) {
    return time_point{postgres_epoch + std::chrono::microseconds{micros}};
}

/// Columns of claim and claim_strays.
enum column : int {
    col_lease,
    col_id,
    col_line,
    col_run_at,
    col_attempt,
    col_reconcile,
    col_created_at,
    col_max_attempts,
    col_tenant,
    col_payload,
    col_meta,
};

/// What the row itself tells of the job.
libqueue::job read_job(const pg::result& rows, int row) {
    libqueue::job what;
    what.id = rows.binary_int64(row, col_id);
    what.lease = rows.binary_int64(row, col_lease);
    what.attempt = rows.binary_int16(row, col_attempt) + 1;
    what.max_attempts = rows.binary_int16(row, col_max_attempts);
    what.reconcile = !rows.is_null(row, col_reconcile) && rows.binary_bool(row, col_reconcile);
    what.tenant_id = rows.optional_text(row, col_tenant);
    what.payload = rows.text(row, col_payload);
    if (!rows.is_null(row, col_meta)) {
        what.meta = rows.text(row, col_meta);
    }
    what.created_at = from_postgres(rows.binary_int64(row, col_created_at));
    what.run_at = from_postgres(rows.binary_int64(row, col_run_at));
    return what;
}

std::vector<std::int64_t> distinct_leases(std::span<const acknowledgement* const> acks) {
    std::vector<std::int64_t> leases;
    for (const acknowledgement* ack : acks) {
        if (leases.empty() || leases.back() != ack->lease) {
            leases.push_back(ack->lease);
        }
    }
    std::sort(leases.begin(), leases.end());
    leases.erase(std::unique(leases.begin(), leases.end()), leases.end());
    return leases;
}

template <typename T, typename Get>
std::vector<T> gather(std::span<const acknowledgement* const> acks, Get get) {
    std::vector<T> values;
    values.reserve(acks.size());
    for (const acknowledgement* ack : acks) {
        values.push_back(static_cast<T>(get(*ack)));
    }
    return values;
}

std::optional<std::string_view> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>{text};
}

// A batch holds at most about this many bytes of payload in memory.
constexpr double batch_bytes_max{32.0 * 1024 * 1024};

template <typename Queue>
auto find_line(Queue& queue, int id) {
    const auto found = std::find_if(queue.lines.begin(), queue.lines.end(),
                                    [id](const line_state& line) { return line.id == id; });
    return found == queue.lines.end() ? nullptr : &*found;
}

}  // namespace

int budget(const queue_state& queue, clock::time_point now) {
    core::claim_situation situation;
    situation.slots = queue.concurrency;
    situation.free = queue.free_slots();
    situation.unstarted = static_cast<int>(queue.unstarted.size()) + queue.claiming;
    // Waiting beside one that kills the worker must not cost a job its life or an open effect:
    // where kinds are not simply retried after a loss, nothing is claimed ahead of a free slot.
    const bool careful =
        std::any_of(queue.lines.begin(), queue.lines.end(), [](const line_state& line) {
            return line.kind->handler->options.on_lost != on_lost::retry;
        });
    situation.rate = careful ? 0 : queue.finished.rate(now);
    situation.turn_time = queue.turn_seconds;
    situation.batch_max = static_cast<int>(std::clamp(
        batch_bytes_max / std::max(1.0, queue.payload_bytes), 1.0, 1.0 * limits::claim_batch_max));
    return core::claim_budget(situation);
}

bool has_room(const queue_state& queue) {
    return std::any_of(queue.lines.begin(), queue.lines.end(), [](const line_state& line) {
        return line.limited == nullptr && line.kind->room() > 0;
    });
}

bool has_room_for_strays(const queue_state& queue) {
    return std::any_of(queue.strays.begin(), queue.strays.end(), [&](const stray& each) {
        const auto* line = find_line(queue, each.line_id);
        return line != nullptr && line->kind->room() > 0;
    });
}

finishes::finishes(std::span<const acknowledgement> batch) {
    for (const acknowledgement& ack : batch) {
        if (ack.recorded) {
            continue;
        }
        (ack.completed ? completed_ : other_).push_back(&ack);
        if (!ack.dead_reason.empty()) {
            dead_.push_back(&ack);
        }
        if (ack.attached) {
            attached_.push_back(&ack);
        }
        if (ack.counted_for != 0) {
            ++counted_[{ack.lease, ack.counted_for}];
        }
    }
}

pg::params finishes::completed_params(std::int64_t worker) const {
    const auto& acks = completed_;
    pg::params p;
    p.int8(worker).int8_array(distinct_leases(acks));
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.lease; }));
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.job; }));
    p.int2_array(gather<std::int16_t>(acks, [](const auto& a) { return a.attempt; }));
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.ran_us; }));
    if (std::all_of(acks.begin(), acks.end(), [](const auto* a) { return a->output.empty(); })) {
        p.null();
        return p;
    }
    std::vector<std::optional<std::string_view>> outputs;
    outputs.reserve(acks.size());
    for (const acknowledgement* ack : acks) {
        outputs.push_back(unless_empty(ack->output));
    }
    p.text_array(outputs);
    return p;
}

pg::params finishes::other_params(std::int64_t worker) const {
    const auto& acks = other_;
    pg::params p;
    p.int8(worker).int8_array(distinct_leases(acks));
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.lease; }));
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.job; }));
    p.int2_array(gather<std::int16_t>(acks, [](const auto& a) { return a.attempt; }));
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.ran_us; }));
    std::vector<std::optional<std::string_view>> outcomes;
    std::vector<std::optional<std::string_view>> errors;
    for (const acknowledgement* ack : acks) {
        outcomes.emplace_back(ack->outcome);
        errors.push_back(unless_empty(ack->error));
    }
    p.text_array(outcomes).text_array(errors);
    p.int8_array(gather<std::int64_t>(acks, [](const auto& a) { return a.delay_us; }));
    p.int2_array(gather<std::int16_t>(acks, [](const auto& a) { return a.used; }));
    p.bool_array(gather<std::uint8_t>(acks, [](const auto& a) { return a.reconcile ? 1 : 0; }));
    return p;
}

pg::params finishes::dead_params() const {
    pg::params p;
    p.int8_array(gather<std::int64_t>(dead_, [](const auto& a) { return a.job; }));
    p.int8_array(gather<std::int64_t>(dead_, [](const auto& a) { return a.lease; }));
    std::vector<std::optional<std::string_view>> reasons;
    for (const acknowledgement* ack : dead_) {
        reasons.emplace_back(ack->dead_reason);
    }
    p.text_array(reasons);
    return p;
}

pg::params finishes::settle_params() const {
    pg::params p;
    p.int8_array(gather<std::int64_t>(attached_, [](const auto& a) { return a.job; }));
    p.int8_array(gather<std::int64_t>(attached_, [](const auto& a) { return a.lease; }));
    return p;
}

pg::params finishes::count_params(std::int64_t worker) const {
    std::vector<std::int64_t> leases;
    std::vector<std::int64_t> batches;
    std::vector<std::int64_t> items;
    for (const auto& [of, count] : counted_) {
        leases.push_back(of.first);
        batches.push_back(of.second);
        items.push_back(count);
    }
    pg::params p;
    p.int8(worker).int8_array(leases).int8_array(batches).int8_array(items);
    return p;
}

finishes_sent send_finishes(pg::pipeline& on, const statements& sql, std::int64_t worker,
                            std::span<const acknowledgement> batch) {
    const finishes parts{batch};
    finishes_sent sent;
    if (parts.has_completed()) {
        on.send(sql.finish_completed, parts.completed_params(worker));
        ++sent.standing;
    }
    if (parts.has_other()) {
        on.send(sql.finish_other, parts.other_params(worker));
        ++sent.standing;
    }
    if (parts.has_dead()) {
        on.send(sql.bury, parts.dead_params());
        ++sent.other;
    }
    if (parts.has_counted()) {
        on.send(sql.count_completed, parts.count_params(worker));
        ++sent.other;
    }
    if (parts.has_attached()) {
        on.send(sql.settle, parts.settle_params());
        ++sent.other;
    }
    if (const std::vector<written_line> lines = lines_of(batch); !lines.empty()) {
        on.send(sql.put_job_log, log_params(lines));
        ++sent.other;
    }
    return sent;
}

void pass_boundary(pg::pipeline& on, const freight& what, bool committed) {
    if (!pg::failpoints_armed()) {
        return;
    }
    using pg::failpoint;
    // After the commit the lane passes by itself, when it has seen that jobs were claimed.
    if (what.claims && !committed) {
        on.pass(failpoint::claim_before_commit);
    }
    if (!what.batch.empty()) {
        on.pass(committed ? failpoint::finish_after_commit : failpoint::finish_before_commit);
    }
    if (finishes{what.batch}.has_dead()) {
        on.pass(committed ? failpoint::dead_letter_after_commit
                          : failpoint::dead_letter_before_commit);
    }
    if (what.returns) {
        on.pass(committed ? failpoint::return_after_commit : failpoint::return_before_commit);
    }
}

pg::params return_params(std::int64_t worker, std::span<const run_ptr> runs) {
    std::vector<std::int64_t> leases;
    std::vector<std::int64_t> jobs;
    std::vector<std::int32_t> lines;
    std::vector<std::int64_t> places;
    std::vector<std::int16_t> used;
    std::vector<std::uint8_t> reconcile;
    for (const run_ptr& run : runs) {
        leases.push_back(run->job.lease);
        jobs.push_back(run->job.id);
        lines.push_back(run->line_id);
        places.push_back(run->place_run_at);
        used.push_back(static_cast<std::int16_t>(run->used_attempts));
        reconcile.push_back(run->job.reconcile ? 1 : 0);
    }
    pg::params p;
    p.int8(worker).int8_array(leases).int8_array(jobs).int4_array(lines);
    p.timestamptz_array(places).int2_array(used).bool_array(reconcile);
    return p;
}

pg::params doubt_params(std::span<const acknowledgement> doubtful) {
    std::vector<std::int64_t> jobs;
    std::vector<std::int64_t> leases;
    for (const acknowledgement& ack : doubtful) {
        jobs.push_back(ack.job);
        leases.push_back(ack.lease);
    }
    pg::params p;
    p.int8_array(jobs).int8_array(leases);
    return p;
}

pg::params doorbell_params(std::span<const std::int32_t> queues, std::int64_t ms) {
    pg::params p;
    p.int4_array(queues).int8(ms);
    return p;
}

claim_request::claim_request(queue_state& queue, clock::time_point now)
    : queue_id_{queue.id}, most_{budget(queue, now)} {
    add_lines(queue, now);
    if (!lines_.empty()) {
        queue.claiming += most_;
        for (const auto& [kind, reserved] : kinds_) {
            kind->claiming += reserved;
        }
    }
}

void claim_request::add_lines(queue_state& queue, clock::time_point now) {
    // Lines of one priority: the one whose cursor is furthest behind goes first, which is FIFO
    // across kinds as far as claims of more than one job allow, and starves none.
    std::vector<line_state*> order;
    for (line_state& line : queue.lines) {
        if (line.limited == nullptr) {
            order.push_back(&line);
        }
    }
    std::stable_sort(order.begin(), order.end(), [](const line_state* a, const line_state* b) {
        return a->priority != b->priority ? a->priority < b->priority
                                          : a->cursor.furthest() < b->cursor.furthest();
    });
    std::map<kind_state*, int> taken;
    for (line_state* line : order) {
        const bool limited = line->kind->handler->options.concurrency > 0;
        const int room = limited ? line->kind->room() - taken[line->kind] : most_;
        const int most = std::min(most_, room);
        if (most <= 0) {
            continue;
        }
        if (limited) {
            taken[line->kind] += most;
            kinds_.emplace_back(line->kind, most);
        }
        const core::line_place& from = line->cursor.position(now);
        lines_.push_back(line->id);
        after_run_at_.push_back(from.run_at);
        after_id_.push_back(from.id);
        most_by_line_.push_back(most);
    }
}

claim_request claim_request::of_suspect(queue_state& queue) {
    claim_request request{queue.id, 1};
    for (const line_state& line : queue.lines) {
        if (line.limited != nullptr) {
            continue;
        }
        request.lines_.push_back(-line.id);
        request.after_run_at_.push_back(core::line_place{}.run_at);
        request.after_id_.push_back(core::line_place{}.id);
        request.most_by_line_.push_back(1);
    }
    queue.claiming += request.most_;
    return request;
}

pg::params claim_request::params(std::int64_t worker) const {
    pg::params p;
    p.int8(worker).int4(queue_id_).int4_array(lines_).timestamptz_array(after_run_at_);
    p.int8_array(after_id_).int4_array(most_by_line_).int4(most_).null();
    return p;
}

pg::params claim_request::next_due_params() const {
    pg::params p;
    p.int4_array(lines_).timestamptz_array(after_run_at_).int8_array(after_id_);
    return p;
}

strays_request::strays_request(queue_state& queue, clock::time_point now) : queue_id_{queue.id} {
    int room = budget(queue, now);
    std::vector<stray> left;
    for (const stray& each : queue.strays) {
        const line_state* line = find_line(queue, each.line_id);
        if (line == nullptr) {
            continue;
        }
        if (room <= 0 || line->kind->room() <= 0) {
            left.push_back(each);
            continue;
        }
        --room;
        if (line->kind->handler->options.concurrency > 0) {
            ++line->kind->claiming;
            kinds_.emplace_back(line->kind, 1);
        }
        lines_.push_back(each.line_id);
        run_at_.push_back(each.run_at);
        ids_.push_back(each.id);
    }
    queue.claiming += count();
    queue.strays = std::move(left);
}

pg::params strays_request::params(std::int64_t worker) const {
    pg::params p;
    p.int8(worker).int4(queue_id_).int4_array(lines_).timestamptz_array(run_at_).int8_array(ids_);
    return p;
}

std::int64_t take_claimed(const pg::result& rows, int count, claim_of by, runtime& shared,
                          queue_state& queue, lane& owner) {
    struct claimed_line {
        line_state* line;
        core::line_place last;
        int rows;
    };
    std::vector<claimed_line> lines;
    std::vector<run_ptr> runs;
    runs.reserve(static_cast<std::size_t>(count));
    const auto now = clock::now();
    for (int row = 0; row < count; ++row) {
        const int place_line = rows.binary_int32(row, col_line);
        const int line_id = std::abs(place_line);  // minus: it is a suspect
        auto at = std::find_if(lines.begin(), lines.end(),
                               [&](const claimed_line& each) { return each.line->id == line_id; });
        if (at == lines.end()) {
            line_state* line = find_line(queue, line_id);
            LIBQUEUE_ASSERT(line != nullptr);
            at = lines.insert(lines.end(), claimed_line{line, {}, 0});
        }
        libqueue::job what = read_job(rows, row);
        what.kind = at->line->kind->handler->kind;
        what.queue = queue.name;
        what.priority = at->line->priority;
        queue.payload_bytes +=
            0.01 * (static_cast<double>(what.payload.size()) - queue.payload_bytes);
        const std::int64_t run_at = rows.binary_int64(row, col_run_at);
        const core::line_place place{run_at, what.id};
        at->last = std::max(at->last, place);
        ++at->rows;
        auto run = std::make_shared<job_run>(shared.io, std::move(what));
        run->kind = at->line->kind;
        run->queue = &queue;
        run->owner = &owner;
        run->used_attempts = rows.binary_int16(row, col_attempt);
        run->place_run_at = run_at;
        run->line_id = place_line;
        if (by == claim_of::limited) {
            owner.hold_slots(*run, rows, row);
        }
        ++run->kind->unstarted;
        runs.push_back(std::move(run));
    }
    for (const claimed_line& each : lines) {
        if (by == claim_of::line) {
            each.line->cursor.advance(each.last, each.rows, now);
        }
    }
    const auto before = [](const run_ptr& a, const run_ptr& b) {
        if (a->job.priority != b->job.priority) {
            return a->job.priority < b->job.priority;
        }
        return core::line_place{a->place_run_at, a->job.id} <
               core::line_place{b->place_run_at, b->job.id};
    };
    std::sort(runs.begin(), runs.end(), before);
    const auto middle = static_cast<std::ptrdiff_t>(queue.unstarted.size());
    queue.unstarted.insert(queue.unstarted.end(), runs.begin(), runs.end());
    std::inplace_merge(queue.unstarted.begin(), queue.unstarted.begin() + middle,
                       queue.unstarted.end(), before);
    return rows.binary_int64(0, col_lease);
}

}  // namespace libqueue::engine::turn
