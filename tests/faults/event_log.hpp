#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace faults {

/// What happened to a row of the queue, as triggers of the test's own wrote it down in the same
/// transaction. The auditor judges by it alone how each job went through the tables.
class table_event {
   public:
    enum class of {
        born,             ///< job inserted
        unborn,           ///< job deleted
        lined,            ///< put in line
        unlined,          ///< taken out of line
        line_rewritten,   ///< a place in line changed under the job
        leased,           ///< on a lease
        unleased,         ///< off it, or the lease is gone
        ended,            ///< attempt appended
        history_changed,  ///< an attempt changed or deleted
        buried,           ///< dead letter written
        exhumed,          ///< dead letter deleted
        worker_gone,      ///< a worker's row deleted
    };
    of what{of::born};
    std::int64_t transaction{0};
    std::int64_t job{0};
    std::int64_t lease{0};
    std::int64_t worker{0};
    int attempt{0};  ///< of an end: its number; of a place in line: used before
    std::int64_t at_us{0};
    std::int64_t due_us{0};  ///< of a place in line and of an end that goes back there; else 0
    bool fenced{false};      ///< of an end: a lease stood, named its worker and listed the job
    bool suspect{false};
    std::string word;  ///< of an end: its outcome; of a gone worker: who deleted the row
};

/// Installs the triggers, before anything is enqueued.
void install_event_log(const std::string& dsn);
/// Events of jobs with `from` <= id < `below`, in order of job and time.
[[nodiscard]] std::vector<table_event> read_events(const std::string& dsn, std::int64_t from,
                                                   std::int64_t below);
/// Workers whose row was deleted: worker, attempt: ms since its last beat, fenced: somebody had
/// seen its process die.
[[nodiscard]] std::vector<table_event> read_gone_workers(const std::string& dsn);

}  // namespace faults
