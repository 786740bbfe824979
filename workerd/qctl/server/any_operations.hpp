#pragma once

#include <libqueue/jobs.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/worker_control.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qctl {

class context;

/// `libqueue::operations`, of the database or of a server; see any_jobs.hpp.
class any_operations {
   public:
    explicit any_operations(context& with) noexcept : with_{with} {}

    /// `next` is where the next page begins: of a server a cursor, of the database an id.
    [[nodiscard]] libqueue::found_page list_jobs(const libqueue::job_filter& filter,
                                                 const std::optional<std::string>& cursor = {});
    [[nodiscard]] libqueue::report attempts(libqueue::job_id id);
    [[nodiscard]] libqueue::result<libqueue::report> explain(libqueue::job_id id);

    [[nodiscard]] libqueue::found_page list_dead_letters(
        const libqueue::dead_letter_filter& filter, const std::optional<std::string>& cursor = {});
    [[nodiscard]] libqueue::report dead_letter_groups(const libqueue::dead_letter_filter& filter);
    /// Of a server: whole letters one by one, whose order is not that of their ids.
    void export_letters(const libqueue::dead_letter_filter& filter, std::int64_t most,
                        const std::function<void(const libqueue::report&)>& take);
    [[nodiscard]] libqueue::result<void> note_group(std::string_view fingerprint,
                                                    const std::optional<std::string>& note,
                                                    bool muted);
    [[nodiscard]] std::int64_t count_dead_letters(const libqueue::dead_letter_filter& filter);
    [[nodiscard]] libqueue::result<std::int64_t> replay(
        const libqueue::dead_letter_filter& filter, const libqueue::replay_options& options,
        const libqueue::progress_callback& progress);
    [[nodiscard]] std::int64_t discard(const libqueue::dead_letter_filter& filter, bool dry_run,
                                       const libqueue::progress_callback& progress);

    [[nodiscard]] libqueue::report list_queues();
    [[nodiscard]] libqueue::result<libqueue::report> show_queue(std::string_view queue);
    [[nodiscard]] libqueue::result<void> create_queue(std::string_view queue);
    [[nodiscard]] libqueue::result<void> pause(std::string_view queue, std::string_view reason);
    [[nodiscard]] libqueue::result<void> resume(std::string_view queue);
    [[nodiscard]] libqueue::result<std::int64_t> purge(
        std::string_view queue, bool dry_run, const libqueue::progress_callback& progress = {});
    [[nodiscard]] libqueue::result<std::int64_t> outstanding(std::string_view queue);

    [[nodiscard]] libqueue::report list_workers();
    [[nodiscard]] libqueue::result<libqueue::report> show_worker(std::int64_t worker);
    [[nodiscard]] libqueue::result<void> ask_worker(std::int64_t worker,
                                                    libqueue::worker_wish wish);
    [[nodiscard]] libqueue::report list_kinds();
    [[nodiscard]] libqueue::report unhandled_kinds();
    [[nodiscard]] libqueue::report stats();
    [[nodiscard]] libqueue::report list_cures();
    void run_cure(const std::string& command);

   private:
    context& with_;
};

}  // namespace qctl
