#pragma once

#include "planted_bug.hpp"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// A small PostgreSQL: tables of row versions, transactions at READ COMMITTED, row locks that make
/// others wait. A statement sees what was committed when it began, also when it then waits for a
/// lock; only the locked row is looked at anew. That is where the surprises live.
namespace simulation {

using micros = std::int64_t;  ///< virtual time, and durations
using txn_id = int;           ///< 0: none
using commit_number = std::int64_t;
inline constexpr commit_number not_yet = std::numeric_limits<commit_number>::max();

// Rows. Members that no table has are named "truth": the audit's, no statement may read them.

struct job_row {
    int id{0};
    int line{0};
    micros run_at{0};
    int max_attempts{0};
    int truth_intent{-1};
    [[nodiscard]] int key() const noexcept { return id; }
};

struct ready_row {
    int id{0};
    int line{0};  ///< minus: a suspect
    micros run_at{0};
    int used{0};
    bool reconcile{false};
    [[nodiscard]] auto key() const noexcept { return std::tuple{line, run_at, id}; }
};

struct lease_row {
    int id{0};
    int worker{0};
    micros claimed_at{0};
    std::vector<std::pair<int, int>> jobs;  ///< job, attempts used
    [[nodiscard]] int key() const noexcept { return id; }
    [[nodiscard]] bool owes(int job) const {
        return std::any_of(jobs.begin(), jobs.end(), [job](auto& j) { return j.first == job; });
    }
};

enum class ending { completed, failed, snoozed, discarded, cancelled, unknown, lost, replayed };
[[nodiscard]] const char* to_string(ending what) noexcept;

struct attempt_row {
    int job{0};
    int lease{0};
    int worker{0};
    ending outcome{ending::completed};
    int attempt{0};
    micros next_run_at{-1};  ///< -1: NULL
    bool reconcile{false};
    bool crash_death{false};  ///< the dead letter's reason begins "crash budget spent"
    int truth_run{-1};        ///< the run that tells it; -1: a rescuer or an operator
    int truth_run_lease{0};
    [[nodiscard]] auto key() const noexcept { return std::pair{job, lease}; }
};

struct letter_row {
    int job{0};
    [[nodiscard]] int key() const noexcept { return job; }
};

struct key_row {
    int name{0};
    int job{0};
    [[nodiscard]] int key() const noexcept { return name; }
};

struct cancel_row {
    int job{0};
    [[nodiscard]] int key() const noexcept { return job; }
};

struct worker_row {
    int id{0};
    int process{0};
    std::int64_t beats{0};
    micros beat_at{0};
    micros truth_beat_at{0};  ///< by the database's clock
    bool session_lock{true};
    [[nodiscard]] int key() const noexcept { return id; }
};

/// What a handler did outside: rows of a business table, written in its own transaction.
struct effect_row {
    int job{0};
    int lease{0};
    [[nodiscard]] auto key() const noexcept { return std::pair{job, lease}; }
};

class transaction {
   public:
    txn_id id{-1};               ///< -1: nobody, for looking only
    commit_number snapshot{-1};  ///< of the statement under way; -1: none
};

template <typename Row>
class version {
   public:
    Row row;
    txn_id made_by{0};
    commit_number made{not_yet};
    txn_id gone_by{0};
    commit_number gone{not_yet};
    txn_id locked_by{0};

    [[nodiscard]] bool visible(const transaction& t) const noexcept {
        return (made_by == t.id || made <= t.snapshot) && gone_by != t.id && gone > t.snapshot;
    }
    /// Committed, or ours, and not deleted by anybody who committed or by us.
    [[nodiscard]] bool current(const transaction& t) const noexcept {
        return (made_by == t.id || made != not_yet) && gone_by != t.id && gone == not_yet;
    }
    [[nodiscard]] bool committed() const noexcept { return made != not_yet && gone == not_yet; }
    [[nodiscard]] bool held_by_other(const transaction& t) const noexcept {
        return (gone == not_yet && gone_by != 0 && gone_by != t.id) ||
               (locked_by != 0 && locked_by != t.id);
    }
    void remove(const transaction& t) noexcept { gone_by = t.id; }
};

enum class said { done, waits, violation };

template <typename Row>
class table {
   public:
    std::vector<version<Row>> versions;

    void insert(const transaction& t, Row row) {
        version<Row> fresh;
        fresh.row = std::move(row);
        fresh.made_by = t.id;
        versions.push_back(std::move(fresh));
    }
    /// What a unique index says to a new row with this key.
    template <typename Key>
    [[nodiscard]] said admits(const transaction& t, const Key& key) const {
        said answer = said::done;
        for (const version<Row>& each : versions) {
            if (each.gone != not_yet || each.gone_by == t.id || each.row.key() != key) {
                continue;
            }
            const bool open = (each.made == not_yet && each.made_by != t.id) || each.gone_by != 0;
            if (!open) {
                return said::violation;
            }
            answer = said::waits;
        }
        return answer;
    }
    template <typename Key>
    [[nodiscard]] version<Row>* newest(const transaction& t, const Key& key) {
        for (version<Row>& each : versions) {
            if (each.current(t) && each.row.key() == key) {
                return &each;
            }
        }
        return nullptr;
    }
    enum class locked_rows { wait, skip };
    /// FOR UPDATE: false when it must wait. The row is followed to its newest version and the
    /// condition is looked at again, as READ COMMITTED does after waiting.
    template <typename Match>
    [[nodiscard]] bool lock(const transaction& t, Match match, locked_rows what,
                            std::vector<version<Row>*>& out) {
        out.clear();
        for (version<Row>& each : versions) {
            if (!each.visible(t) || !match(each.row)) {
                continue;
            }
            version<Row>* now = each.gone == not_yet ? &each : newest(t, each.row.key());
            if (now == nullptr) {
                continue;
            }
            if (now->held_by_other(t)) {
                if (what == locked_rows::skip) {
                    continue;
                }
                return false;
            }
            if (match(now->row)) {
                out.push_back(now);
            }
        }
        std::sort(out.begin(), out.end(),
                  [](const auto* a, const auto* b) { return a->row.key() < b->row.key(); });
        for (version<Row>* each : out) {
            each->locked_by = t.id;
        }
        return true;
    }
    void commit(txn_id id, commit_number number) {
        for (version<Row>& each : versions) {
            if (each.made == not_yet && each.made_by == id) {
                each.made = number;
            }
            if (each.gone == not_yet && each.gone_by == id) {
                each.gone = number;
            }
            each.locked_by = each.locked_by == id ? 0 : each.locked_by;
        }
    }
    void abort(txn_id id) {
        std::erase_if(versions, [id](const version<Row>& each) {
            return each.made == not_yet && each.made_by == id;
        });
        for (version<Row>& each : versions) {
            each.gone_by = each.gone == not_yet && each.gone_by == id ? 0 : each.gone_by;
            each.locked_by = each.locked_by == id ? 0 : each.locked_by;
        }
    }
    void vacuum(commit_number horizon) {
        std::erase_if(versions, [=](const version<Row>& each) { return each.gone <= horizon; });
    }
};

class database {
   public:
    table<job_row> job;
    table<ready_row> ready;
    table<lease_row> lease;
    table<attempt_row> attempt;
    table<letter_row> dead_letter;
    table<key_row> idempotency;
    table<cancel_row> cancel_request;
    table<worker_row> worker;
    table<effect_row> effect;

    planted_bug bug{planted_bug::none};
    micros now{0};
    int next_job{1};
    int next_lease{1};
    int next_worker{1};

    [[nodiscard]] transaction begin();
    /// Every statement begins with this; once it has waited it keeps the snapshot it began with.
    void begin_statement(transaction& t);
    void end_statement(transaction& t);
    void commit(transaction& t);
    void abort(transaction& t);
    [[nodiscard]] commit_number commits() const noexcept { return commits_; }

   private:
    template <typename Do>
    void each_table(Do act);
    void vacuum();

    commit_number commits_{0};
    txn_id next_txn_{1};
    std::map<txn_id, commit_number> snapshots_;
};

}  // namespace simulation
