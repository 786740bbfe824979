#include "database.hpp"

namespace simulation {

const char* to_string(ending what) noexcept {
    switch (what) {
        case ending::completed:
            return "completed";
        case ending::failed:
            return "failed";
        case ending::snoozed:
            return "snoozed";
        case ending::discarded:
            return "discarded";
        case ending::cancelled:
            return "cancelled";
        case ending::unknown:
            return "unknown";
        case ending::lost:
            return "lost";
        case ending::replayed:
            return "replayed";
    }
    return "?";
}

template <typename Do>
void database::each_table(Do act) {
    act(job);
    act(ready);
    act(lease);
    act(attempt);
    act(dead_letter);
    act(idempotency);
    act(cancel_request);
    act(worker);
    act(effect);
}

transaction database::begin() {
    transaction fresh;
    fresh.id = next_txn_++;
    return fresh;
}

void database::begin_statement(transaction& t) {
    if (t.snapshot < 0) {
        t.snapshot = commits_;
        snapshots_[t.id] = commits_;
    }
}

void database::end_statement(transaction& t) {
    t.snapshot = -1;
    snapshots_.erase(t.id);
}

void database::commit(transaction& t) {
    ++commits_;
    each_table([&](auto& each) { each.commit(t.id, commits_); });
    end_statement(t);
    vacuum();
}

void database::abort(transaction& t) {
    each_table([&](auto& each) { each.abort(t.id); });
    end_statement(t);
}

void database::vacuum() {
    commit_number horizon = commits_;
    for (const auto& [id, snapshot] : snapshots_) {
        horizon = std::min(horizon, snapshot);
    }
    each_table([horizon](auto& each) { each.vacuum(horizon); });
}

}  // namespace simulation
