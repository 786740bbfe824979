#include "suspect_runner.hpp"

#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>

#include <boost/asio/post.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace workerd {

namespace {

/// "killed by signal 11 (Segmentation fault)", for a dead letter.
std::string death_text(int status) {
    if (!WIFSIGNALED(status))
        return "its process left with " + exit_text(status);
    const int number = WTERMSIG(status);
    const char* name = ::sigdescr_np(number);
    return "its process was killed by signal " + std::to_string(number) +
           (name == nullptr ? "" : " (" + std::string{name} + ")");
}

}  // namespace

suspect_runner::suspect_runner(tasks& on, logger& log, std::vector<std::string> arguments,
                               libqueue::client_options database)
    : tasks_{on},
      log_{log},
      arguments_{std::move(arguments)},
      database_{std::move(database)},
      ended_{on.loop()} {}

suspect_runner::~suspect_runner() {
    telling_.join();
}

void suspect_runner::start() {
    // One that is about to end may have overlooked these.
    again_ = child_ != nullptr;
    if (child_ || draining_)
        return;
    try {
        launch();
    } catch (const std::runtime_error& error) {
        log_.error("suspects_not_started", "cannot start a process for suspects; they wait",
                   {{"err.msg", error.what()}});
        child_.reset();
    }
}

void suspect_runner::launch() {
    child_options options;
    options.command = {"/proc/self/exe"};
    options.command.insert(options.command.end(), arguments_.begin(), arguments_.end());
    options.command.emplace_back("--suspects");
    // Paths on the command line are relative to here.
    options.work_folder = std::filesystem::current_path();
    // It drains when we die: a suspect must not be charged with our death.
    options.death_signal = SIGTERM;
    child_ = std::make_unique<child_process>(options);
    const int watched = ::dup(child_->pid_descriptor());
    if (watched < 0)
        throw std::runtime_error{"cannot watch the child"};
    ended_.assign(watched);
    log_.info("suspects_started", "a process of their own runs jobs that lost their worker",
              {{"child", static_cast<int>(child_->pid())}});
    tasks_.spawn("suspects", watch());
}

boost::asio::awaitable<void> suspect_runner::watch() {
    const auto [error] =
        co_await ended_.async_wait(boost::asio::posix::stream_descriptor::wait_read, use_tuple);
    if (!error)
        on_end();
}

void suspect_runner::on_end() {
    const auto status = child_->wait(std::chrono::milliseconds{0});
    const int pid = static_cast<int>(child_->pid());
    ended_.close();
    child_.reset();
    const auto how = status ? death_text(*status) : std::string{"its process ended"};
    log_.info("suspects_ended", "the process for suspects has ended",
              {{"child", pid}, {"how", how}});
    // Also after exit code 0: a job may have called exit(). One that left in good order has taken
    // itself off the books.
    tell_database(pid, how);
    if (again_)
        start();
}

/// Then its job is rescued at the next sweep, and whoever reads its dead letter knows. Without this
/// the lease decides.
void suspect_runner::tell_database(int pid, const std::string& how) {
    boost::asio::post(telling_, [this, pid, how] {
        try {
            libqueue::client connection{database_};
            static_cast<void>(libqueue::operations{connection}.worker_ended(pid, how));
        } catch (const std::exception& error) {
            log_.warn("suspects_death_untold", "the database was not told how it died",
                      {{"err.msg", error.what()}});
        }
    });
}

void suspect_runner::drain() {
    draining_ = true;
    if (child_)
        child_->signal(SIGTERM);
}

void suspect_runner::finish(std::chrono::milliseconds time) {
    if (child_)
        static_cast<void>(child_->wait(time));
    if (ended_.is_open())
        ended_.close();
    child_.reset();
}

}  // namespace workerd
