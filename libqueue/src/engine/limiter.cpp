#include "engine/limiter.hpp"

#include "core/limits.hpp"
#include "engine/runtime.hpp"
#include "engine/turn.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace libqueue::engine {
namespace limiter {
namespace {

/// Columns of claim_limited after those it shares with claim.
enum column : int { col_id = 1, col_limits = 11, col_blocked, col_wait_us };

// Jobs were in line and none could be had: another worker has the limit's row, or a kind has no
// room here.
constexpr std::chrono::milliseconds pause_min{1};
constexpr int least_asked{10};

[[nodiscard]] bool has_room(const queue_state& queue, const limited_group& group) {
    return std::any_of(queue.lines.begin(), queue.lines.end(), [&](const line_state& line) {
        return line.limited == &group && line.kind->room() > 0;
    });
}

[[nodiscard]] bool may_ask(const queue_state& queue, const limited_group& group,
                           clock::time_point now) {
    return !group.asked && now >= group.blocked_until &&
           (now >= queue.watch.next_look || now >= group.due_at) && has_room(queue, group);
}

}  // namespace

void make_groups(queue_state& queue, const std::string& queue_limit, const runtime& shared) {
    for (const auto& [name, kind] : shared.kinds) {
        limited_group group;
        group.kind_limit = kind->handler->options.limit;
        group.queue_limit = queue_limit == group.kind_limit ? std::string{} : queue_limit;
        const bool known =
            std::any_of(queue.limited.begin(), queue.limited.end(), [&](const limited_group& one) {
                return one.kind_limit == group.kind_limit && one.queue_limit == group.queue_limit;
            });
        if (!known && !(group.kind_limit.empty() && group.queue_limit.empty())) {
            queue.limited.push_back(std::move(group));
        }
    }
}

limited_group* group_of(queue_state& queue, const kind_state& kind) {
    const std::string& wanted = kind.handler->options.limit;
    const auto found =
        std::find_if(queue.limited.begin(), queue.limited.end(),
                     [&](const limited_group& one) { return one.kind_limit == wanted; });
    return found == queue.limited.end() ? nullptr : &*found;
}

bool wants(const queue_state& queue, clock::time_point now) {
    return std::any_of(queue.limited.begin(), queue.limited.end(),
                       [&](const limited_group& group) { return may_ask(queue, group, now); });
}

clock::time_point next_look(const queue_state& queue) {
    clock::time_point soonest = clock::time_point::max();
    for (const limited_group& group : queue.limited) {
        if (!group.asked && has_room(queue, group)) {
            const auto look = std::min(queue.watch.next_look, group.due_at);
            soonest = std::min(soonest, std::max(group.blocked_until, look));
        }
    }
    return soonest;
}

std::vector<limited_group*> to_ask(queue_state& queue, clock::time_point now) {
    std::vector<limited_group*> found;
    const std::size_t count = queue.limited.size();
    for (std::size_t at = 0; at < count; ++at) {
        limited_group& group = queue.limited[(queue.limited_first + at) % count];
        if (may_ask(queue, group, now)) {
            found.push_back(&group);
        }
    }
    ++queue.limited_first;
    return found;
}

bool rules_all(const queue_state& queue) {
    return std::all_of(queue.lines.begin(), queue.lines.end(),
                       [](const line_state& line) { return line.limited != nullptr; });
}

void look_now(queue_state& queue) {
    const auto now = clock::now();
    for (limited_group& group : queue.limited) {
        group.blocked_until = clock::time_point::min();
        group.due_at = now;
    }
}

request::request(queue_state& queue, limited_group& group, int most)
    : group_{group}, queue_id_{queue.id}, most_{std::min(most, group.most)} {
    std::map<kind_state*, int> taken;
    for (const line_state& line : queue.lines) {  // by priority
        if (line.limited != &group) {
            continue;
        }
        const bool bounded = line.kind->handler->options.concurrency > 0;
        const int room = bounded ? line.kind->room() - taken[line.kind] : most_;
        const int share = std::min(most_, room);
        if (share <= 0) {
            continue;
        }
        if (bounded) {
            taken[line.kind] += share;
            kinds_.emplace_back(line.kind, share);
        }
        lines_.push_back(line.id);
        most_by_line_.push_back(share);
    }
    if (!lines_.empty()) {
        group.asked = true;
        queue.claiming += most_;
        for (const auto& [kind, reserved] : kinds_) {
            kind->claiming += reserved;
        }
    }
}

request request::of_suspect(queue_state& queue, limited_group& group) {
    request made{group, queue.id};
    for (const line_state& line : queue.lines) {
        if (line.limited == &group) {
            made.lines_.push_back(-line.id);
            made.most_by_line_.push_back(1);
        }
    }
    queue.claiming += made.most_;
    return made;
}

pg::params request::params(std::int64_t worker, int lane) const {
    const auto named = [](const std::string& name) {
        return name.empty() ? std::nullopt : std::optional<std::string>{name};
    };
    pg::params p;
    p.int8(worker).int4(lane).int4(queue_id_).text(named(group_.kind_limit));
    p.text(named(group_.queue_limit)).int4_array(lines_).int4_array(most_by_line_);
    p.int4(most_).null();
    return p;
}

int jobs_in(const pg::result& rows) {
    LIBQUEUE_ASSERT(rows.rows() > 0 && rows.is_null(rows.rows() - 1, col_id));
    return rows.rows() - 1;
}

bool blocked(const pg::result& rows) {
    return rows.binary_bool(rows.rows() - 1, col_blocked);
}

void note_answer(queue_state& queue, limited_group& group, const pg::result& rows,
                 std::chrono::milliseconds poll) {
    const auto now = clock::now();
    const int last = rows.rows() - 1;
    const int jobs = jobs_in(rows);
    group.asked = false;
    group.most = std::clamp(jobs * 2, least_asked, limits::claim_batch_max);
    group.blocked_until = clock::time_point::min();
    group.due_at = clock::time_point::max();
    if (!rows.is_null(last, col_wait_us)) {
        const std::chrono::microseconds wait{
            std::max<std::int64_t>(0, rows.binary_int64(last, col_wait_us))};
        group.due_at =
            now + (jobs == 0 ? std::max<std::chrono::microseconds>(wait, pause_min) : wait);
        if (blocked(rows)) {
            group.blocked_until = group.due_at;
        }
    }
    if (!rules_all(queue)) {
        return;
    }
    if (jobs > 0) {
        queue.watch.empty_looks = 0;
        queue.watch.next_look = now;
        if (queue.watch.armed) {
            queue.watch.armed = false;
            queue.watch.clear_bell = true;
        }
    } else {
        ++queue.watch.empty_looks;
        queue.watch.next_look = now + look_interval(queue.watch.empty_looks, poll);
    }
}

std::string_view limits_text(const pg::result& rows, int row) {
    return rows.text(row, col_limits);
}

}  // namespace limiter

void slot_ledger::take(const job_run& run) {
    holding held{run.job.lease, {}};
    for (const job_limit& limit : *run.limits) {
        if (limit.slot) {
            held.slots.emplace_back(limit.name, limit.key);
        }
    }
    if (held.slots.empty()) {
        return;
    }
    for (const slot& one : held.slots) {
        ++held_[one];
    }
    jobs_.insert_or_assign(run.job.id, std::move(held));
}

void slot_ledger::release(const holding& held) {
    for (const slot& one : held.slots) {
        if (const auto at = held_.find(one); at != held_.end() && --at->second <= 0) {
            held_.erase(at);
        }
    }
    changed_ = true;
}

void slot_ledger::give(job_id job) {
    if (const auto at = jobs_.find(job); at != jobs_.end()) {
        release(at->second);
        jobs_.erase(at);
    }
}

void slot_ledger::drop_lease(std::int64_t lease) {
    std::erase_if(jobs_, [&](const auto& each) {
        if (each.second.lease != lease) {
            return false;
        }
        release(each.second);
        return true;
    });
}

void slot_ledger::clear() {
    jobs_.clear();
    held_.clear();
    changed_ = false;
}

pg::params slot_ledger::params(std::int64_t worker, int lane) const {
    std::vector<std::string> limits;
    std::vector<std::string> keys;
    std::vector<std::int32_t> counts;
    for (const auto& [which, count] : held_) {
        limits.push_back(which.first);
        keys.push_back(which.second);
        counts.push_back(count);
    }
    pg::params p;
    p.int8(worker).int4(lane).text_array(limits).text_array(keys).int4_array(counts);
    return p;
}

}  // namespace libqueue::engine
