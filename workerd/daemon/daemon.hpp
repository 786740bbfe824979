#pragma once

#include "asset_server.hpp"
#include "cli.hpp"
#include "config/config.hpp"
#include "dev/dev_mode.hpp"
#include "front_door.hpp"
#include "health.hpp"
#include "logging/job_log.hpp"
#include "logging/logger.hpp"
#include "loop_watch.hpp"
#include "net/http_server.hpp"
#include "net/tasks.hpp"
#include "observing.hpp"
#include "service_manager.hpp"
#include "surroundings.hpp"
#include "suspect_runner.hpp"

#include <libqueue/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace workerd {

/// What the library reports, to the log and to /health.
class daemon_observer final : public libqueue::observer {
   public:
    explicit daemon_observer(logger& log, bool every_job);
    /// Before the worker starts.
    void attach(health& target) noexcept { health_ = &target; }
    void attach(observe::observability& target) noexcept { observed_by_ = &target; }
    /// What to do about suspects that wait, and when none is left; on the worker's thread.
    void on_suspects(std::function<void()> waiting, std::function<void()> cleared);
    /// An operator asks this worker to leave; on the worker's thread.
    void on_dismissed(std::function<void()> then) { dismissed_ = std::move(then); }

    void on_event(const libqueue::event& e) noexcept override;
    [[nodiscard]] bool wants_every_job() const noexcept override {
        return observed_by_ != nullptr || log_.wants_every_job();
    }
    [[nodiscard]] bool wants_starts() const noexcept override { return log_.wants_every_job(); }
    [[nodiscard]] std::string trace_run(const libqueue::job& run,
                                        std::string_view enqueued) const override;

   private:
    job_log log_;
    health* health_ = nullptr;
    observe::observability* observed_by_ = nullptr;
    std::function<void()> waiting_;
    std::function<void()> cleared_;
    std::function<void()> dismissed_;
};

/// The wiring. The main thread runs one loop with signals, /health and the sinks of dev mode; the
/// worker has threads of its own. Start order: private database, worker, /health, signals; stop
/// order is the reverse, and the worker drains before anything it needs goes away.
class daemon {
   public:
    /// `loaded` is usable; its warnings are logged. `more`: see launch.
    daemon(const command_line& line, config_result loaded, logger& log,
           std::vector<libqueue::registration> more);
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;
    ~daemon();

    /// Runs until a signal. Returns the exit code.
    [[nodiscard]] int run();

   private:
    /// Nothing when all runs, else the exit code.
    [[nodiscard]] std::optional<int> start();
    /// Logs what is wrong; true when it is warnings only.
    bool report(const std::vector<config_fault>& faults);
    void announce_dev();
    void start_http();
    void mount_dashboard();
    void open_front_door();
    void share_settings();
    void reload_http();
    void start_metrics();
    void count_requests();
    void start_watch();
    void reload();
    void handle_suspects(libqueue::worker_options& options);
    boost::asio::awaitable<void> leave_when_silent();
    void await_signal();
    void on_signal(int number);
    void drain(int number);
    boost::asio::awaitable<void> end_http();
    [[nodiscard]] int finish();

    config_sources sources_;
    std::vector<config_fault> warnings_;
    config config_;
    logger& log_;
    boost::asio::io_context loop_{1};
    tasks tasks_;
    boost::asio::signal_set signals_;
    std::unique_ptr<dev_mode> dev_;
    daemon_observer observer_;
    service_manager manager_;
    loop_watch watch_;
    // Before the worker, which tells it until its end.
    std::unique_ptr<observe::observability> observability_;
    std::unique_ptr<libqueue::worker> worker_;
    std::unique_ptr<health> health_;
    std::shared_ptr<const api::jwt_verifier> jwt_;  // shared with the front door
    std::shared_ptr<api::service_calls> services_;  // likewise
    std::unique_ptr<api::surroundings> surroundings_;
    std::unique_ptr<api::front_door> front_door_;
    std::unique_ptr<dashboard::asset_server> dashboard_;
    std::unique_ptr<http_server> http_;
    std::unique_ptr<http_server> metrics_http_;
    std::unique_ptr<suspect_runner> suspect_runner_;
    std::thread drain_thread_;
    std::vector<libqueue::registration> more_;
    std::vector<std::string> arguments_;
    bool dev_fresh_ = false;
    bool only_suspects_ = false;
    bool failed_ = false;
};

}  // namespace workerd
