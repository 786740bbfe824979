#include "audit.hpp"

#include "event_log.hpp"
#include "ledger.hpp"
#include "support/query.hpp"
#include "support/wait_until.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

namespace faults {

namespace {

using of = table_event::of;

constexpr std::size_t examples_most = 12;
constexpr std::size_t stories_most = 3;
constexpr std::int64_t page = 20'000;

/// What the ledger knows of one job.
class true_runs {
   public:
    std::vector<run_line> begun;
    std::vector<run_line> ended;
};

/// What the job was to do.
class asked_for {
   public:
    std::int64_t id{0};
    std::string key;
    bool fails_always{false};
};

std::string named(std::int64_t job) {
    return "job " + std::to_string(job);
}

/// Follows one job through the tables, one transaction after the other.
class tracker {
   public:
    tracker(const asked_for& job, const true_runs& runs, findings& into)
        : job_{job}, runs_{runs}, into_{into} {}

    void follow(std::span<const table_event> events) {
        std::int64_t transaction = 0;
        for (const table_event& event : events) {
            // Of a lease the job was long done with: another transaction's business, which may come
            // in the middle of one of ours.
            if (event.what == of::unleased && !owed_by_.contains(event.lease)) {
                continue;
            }
            if (event.transaction != transaction) {
                if (transaction != 0) {
                    end_transaction();
                }
                transaction = event.transaction;
                returned_us_ = 0;
                lined_us_ = 0;
            }
            see(event);
        }
        end_transaction();
        end();
        if (broken_) {
            tell(events);
        }
    }

    /// Leases this job was on, with their workers.
    [[nodiscard]] const std::map<std::int64_t, std::int64_t>& leases() const { return leases_; }

   private:
    void see(const table_event& event) {
        switch (event.what) {
            case of::born:
                breach_if(born_, breach::illegal, "born twice");
                born_ = true;
                break;
            case of::lined:
                ++in_line_;
                due_us_ = lined_us_ = event.due_us;
                lined_used_ = event.attempt;
                break;
            case of::unlined:
                --in_line_;
                breach_if(event.at_us < due_us_, breach::illegal, "claimed before it was due");
                break;
            case of::leased:
                owed_by_.insert(event.lease);
                leases_[event.lease] = event.worker;
                break;
            case of::unleased:
                owed_by_.erase(event.lease);
                break;
            case of::ended:
                see_end(event);
                break;
            case of::buried:
                breach_if(buried_, breach::illegal, "buried twice");
                buried_ = true;
                break;
            case of::exhumed:
                buried_ = false;
                break;
            case of::history_changed:
                breach_if(true, breach::unfenced, "its history was rewritten");
                break;
            case of::unborn:
                breach_if(true, breach::lost, "deleted");
                break;
            case of::line_rewritten:
                breach_if(true, breach::illegal, "moved in line without leaving it");
                break;
            case of::worker_gone:
                break;
        }
    }

    void see_end(const table_event& event) {
        const bool by_operator = event.worker == 0;
        breach_if(!event.fenced || (!by_operator && owed_by_.erase(event.lease) == 0),
                  breach::unfenced,
                  "ended as " + event.word + " by worker " + std::to_string(event.worker) +
                      " without its lease " + std::to_string(event.lease));
        breach_if(final_ && event.word == "completed", breach::doubled, "ended twice");
        breach_if(final_ && event.word != "replayed" && event.word != "completed", breach::illegal,
                  "ended as " + event.word + " after its end");
        const int number = event.word == "replayed" ? event.attempt : used_ + 1;
        breach_if(event.attempt != number, breach::illegal,
                  "attempt " + std::to_string(event.attempt) + ", not " + std::to_string(number));
        if (event.word == "failed") {
            ++used_;
        }
        if (event.word == "replayed") {
            used_ = 0;
        }
        into_.losses += event.word == "lost" ? 1 : 0;
        final_ = event.due_us == 0;
        returned_us_ = event.due_us;
        if (event.word == "completed") {
            completed_by_ = event.lease;
        }
        last_word_ = event.word;
    }

    /// Between two transactions a job is in exactly one place.
    void end_transaction() {
        const auto places = static_cast<std::size_t>(in_line_) + owed_by_.size() + (final_ ? 1 : 0);
        breach_if(places == 0, breach::lost, "is nowhere any more");
        breach_if(places > 1, final_ ? breach::doubled : breach::illegal,
                  "is in " + std::to_string(places) + " places at once");
        breach_if(returned_us_ != 0 && lined_us_ != returned_us_, breach::illegal,
                  "stands elsewhere in line than its history says");
        breach_if(lined_us_ != 0 && lined_used_ != used_, breach::illegal,
                  "stands in line with " + std::to_string(lined_used_) + " attempts used, not " +
                      std::to_string(used_));
    }

    void end() {
        breach_if(!born_, breach::illegal, "was never born");
        breach_if(!final_, breach::stuck, "not finished: " + std::string{where()});
        breach_if(buried_ != (final_ && last_word_ != "completed" && last_word_ != "cancelled"),
                  breach::illegal, "its dead letter does not agree with its history");
        if (final_ && job_.fails_always) {
            breach_if(last_word_ != "failed", breach::illegal, "cannot have ended: " + last_word_);
            ++into_.dead;
        } else if (final_) {
            breach_if(last_word_ != "completed", breach::lost, "buried unasked: " + last_word_);
        }
        compare_with_runs();
    }

    void compare_with_runs() {
        std::set<std::int64_t> begun;
        for (const run_line& line : runs_.begun) {
            breach_if(!begun.insert(line.lease).second, breach::doubled,
                      "ran twice under lease " + std::to_string(line.lease));
            breach_if(!leases_.contains(line.lease), breach::unfenced,
                      "ran under lease " + std::to_string(line.lease) + ", which never had it");
            breach_if(completed_by_ != 0 && line.lease > completed_by_, breach::doubled,
                      "ran again after its accepted end");
        }
        std::size_t effects = 0;
        bool seen = completed_by_ == 0;
        for (const run_line& line : runs_.ended) {
            effects += line.done ? 1 : 0;
            seen = seen || (line.done && line.lease == completed_by_);
        }
        breach_if(!seen, breach::lost, "completed under a lease that never ran it");
        into_.runs += runs_.begun.size();
        into_.repeated += effects > 1 ? effects - 1 : 0;
    }

    [[nodiscard]] std::string_view where() const {
        return in_line_ > 0 ? "in line" : (owed_by_.empty() ? "nowhere" : "leased");
    }

    void breach_if(bool broken, breach what, const std::string& how) {
        if (broken) {
            into_.add(what, named(job_.id) + " (" + job_.key + ") " + how);
            broken_ = true;
        }
    }

    /// How it went, for whoever has to find out why.
    void tell(std::span<const table_event> events) {
        constexpr std::array<std::string_view, 12> words{
            "born",     "unborn", "lined",           "unlined", "rewritten in line", "leased",
            "unleased", "ended",  "history changed", "buried",  "exhumed",           "worker gone"};
        std::string text = named(job_.id) + ":";
        for (const table_event& event : events) {
            text += "\n        " + std::to_string(event.at_us % 1'000'000'000) + " tx " +
                    std::to_string(event.transaction) + " " +
                    std::string{words.at(static_cast<std::size_t>(event.what))} + " " + event.word +
                    (event.suspect ? " (suspect)" : "") + " lease " + std::to_string(event.lease) +
                    " worker " + std::to_string(event.worker) + " attempt " +
                    std::to_string(event.attempt);
        }
        for (const run_line& line : runs_.begun) {
            text += "\n        " + std::to_string(line.at_us % 1'000'000'000) + " begun under " +
                    std::to_string(line.lease) + " by process " + std::to_string(line.pid);
        }
        into_.tell(text);
    }

    const asked_for& job_;
    const true_runs& runs_;
    findings& into_;
    std::map<std::int64_t, std::int64_t> leases_;
    std::set<std::int64_t> owed_by_;
    int in_line_{0};
    int used_{0};
    bool broken_{false};
    bool born_{false};
    bool final_{false};
    bool buried_{false};
    std::int64_t completed_by_{0};
    std::string last_word_;
    std::int64_t due_us_{0};
    std::int64_t lined_us_{0};  // in this transaction
    int lined_used_{0};
    std::int64_t returned_us_{0};  // as the history says, in this transaction
};

std::vector<asked_for> read_jobs(const std::string& dsn, std::int64_t from, std::int64_t below) {
    std::vector<asked_for> jobs;
    for (const auto& row :
         test::rows(dsn,
                    "SELECT id, meta->>'idempotency_key', (payload->>'fails')::int >= max_attempts "
                    "FROM queue.job WHERE id >= $1::bigint AND id < $2::bigint ORDER BY id",
                    {std::to_string(from), std::to_string(below)})) {
        asked_for job;
        job.id = std::stoll(row[0].value());
        job.key = row[1].value_or("");
        job.fails_always = row[2] == "t";
        jobs.push_back(std::move(job));
    }
    return jobs;
}

class auditor {
   public:
    auditor(std::string dsn, const journal& promised, const audit_options& options)
        : dsn_{std::move(dsn)}, promised_{promised}, options_{options} {}

    [[nodiscard]] findings run(const std::filesystem::path& ledger) {
        for (const run_line& line : read_ledger(ledger)) {
            auto& runs = runs_[line.job];
            (line.begin ? runs.begun : runs.ended).push_back(line);
        }
        const std::string last = test::query(dsn_, "SELECT max(id) FROM queue.job");
        const std::int64_t end = last.empty() ? 0 : std::stoll(last) + 1;
        for (std::int64_t from = 0; from < end; from += page) {
            check_page(from, std::min(end, from + page));
        }
        check_keys();
        check_workers();
        check_leftovers();
        return std::move(found_);
    }

   private:
    void check_page(std::int64_t from, std::int64_t below) {
        const auto events = read_events(dsn_, from, below);
        auto at = events.begin();
        for (const asked_for& job : read_jobs(dsn_, from, below)) {
            while (at != events.end() && at->job < job.id) {
                ++at;
            }
            const auto first = at;
            while (at != events.end() && at->job == job.id) {
                ++at;
            }
            const true_runs& runs = runs_[job.id];
            tracker each{job, runs, found_};
            each.follow({first, at});
            for (const run_line& line : runs.begun) {
                if (const auto held = each.leases().find(line.lease); held != each.leases().end()) {
                    processes_[held->second].insert(line.pid);
                }
            }
            check_key(job);
        }
    }

    void check_key(const asked_for& job) {
        ++found_.jobs;
        if (!promised_.intended.contains(job.key)) {
            found_.add(breach::illegal, named(job.id) + " was asked for by nobody");
            return;
        }
        const auto [first, fresh] = job_of_key_.emplace(job.key, job.id);
        if (!fresh) {
            found_.add(breach::doubled, "key " + job.key + " has two jobs, " +
                                            std::to_string(first->second) + " and " +
                                            std::to_string(job.id));
        }
    }

    /// Every acknowledgement has its job, and every key still leads there.
    void check_keys() {
        found_.acknowledged = promised_.acknowledged.size();
        for (const std::string& key : promised_.acknowledged_twice) {
            found_.add(breach::doubled, "key " + key + " was acknowledged with two ids");
        }
        std::unordered_map<std::string, std::int64_t> kept;
        for (const auto& row : test::rows(dsn_, "SELECT key, job_id FROM queue.idempotency")) {
            kept.emplace(row[0].value(), std::stoll(row[1].value()));
        }
        for (const auto& [key, id] : promised_.acknowledged) {
            const auto job = job_of_key_.find(key);
            if (job == job_of_key_.end()) {
                found_.add(breach::lost, "acknowledged " + named(id) + " (" + key + ") is gone");
            } else if (const auto led = kept.find(key); led == kept.end() || led->second != id) {
                found_.add(breach::lost, "key " + key + " no longer leads to its job");
            }
        }
    }

    /// An identity belongs to one process, and nobody is declared dead who shows signs of life.
    void check_workers() {
        for (const auto& [worker, pids] : processes_) {
            if (pids.size() > 1) {
                found_.add(breach::illegal,
                           "worker " + std::to_string(worker) + " was two processes");
            }
        }
        for (const table_event& gone : read_gone_workers(dsn_)) {
            const bool own_farewell = gone.word == "libqueue worker presence";
            if (!own_farewell && !gone.fenced && gone.attempt < options_.silence.count()) {
                found_.add(breach::illegal,
                           "worker " + std::to_string(gone.worker) + " was declared dead " +
                               std::to_string(gone.attempt) + " ms after its last beat");
            }
        }
    }

    void check_leftovers() {
        const std::string leases = test::query(dsn_, "SELECT count(*) FROM queue.lease");
        for (int left = std::stoi(leases); left > 0; --left) {
            found_.add(breach::stuck, "a lease is left");
        }
    }

    std::string dsn_;
    const journal& promised_;
    const audit_options& options_;
    findings found_;
    std::unordered_map<std::int64_t, true_runs> runs_;
    std::unordered_map<std::string, std::int64_t> job_of_key_;
    std::map<std::int64_t, std::set<std::int64_t>> processes_;
};

}  // namespace

void findings::add(breach what, const std::string& where) {
    ++counts_.at(static_cast<std::size_t>(what));
    if (examples_.size() < examples_most) {
        examples_.push_back(std::string{breach_names.at(static_cast<std::size_t>(what))} + ": " +
                            where);
    }
}

void findings::tell(const std::string& story) {
    if (stories_.size() < stories_most) {
        stories_.push_back(story);
    }
}

bool findings::clean() const {
    return std::all_of(counts_.begin(), counts_.end(),
                       [](std::size_t count) { return count == 0; });
}

std::string findings::text() const {
    std::string line;
    for (std::size_t at = 0; at < counts_.size(); ++at) {
        line += (at == 0 ? "" : ", ") + std::string{breach_names.at(at)} + " " +
                std::to_string(counts_.at(at));
    }
    line += "; " + std::to_string(jobs) + " jobs, " + std::to_string(acknowledged) +
            " acknowledged, " + std::to_string(runs) + " runs, " + std::to_string(losses) +
            " lost their worker, " + std::to_string(repeated) + " effects repeated, " +
            std::to_string(dead) + " buried as asked";
    for (const std::string& example : examples_) {
        line += "\n    " + example;
    }
    for (const std::string& story : stories_) {
        line += "\n    " + story;
    }
    return line;
}

bool wait_settled(const std::string& dsn, const audit_options& options) {
    return test::wait_until(
        [&] {
            try {
                return test::query(dsn,
                                   "SELECT (SELECT count(*) FROM queue.lease) + "
                                   "(SELECT count(*) FROM queue.ready)") == "0";
            } catch (const test::sql_error&) {
                return false;
            }
        },
        options.settle);
}

findings audit(const std::string& dsn, const journal& promised, const std::filesystem::path& ledger,
               const audit_options& options) {
    return auditor{dsn, promised, options}.run(ledger);
}

}  // namespace faults
