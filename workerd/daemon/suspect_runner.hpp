#pragma once

#include "dev/child_process.hpp"
#include "logging/logger.hpp"
#include "net/tasks.hpp"

#include <libqueue/client.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace workerd {

/// Runs suspects, jobs whose last run lost its worker, in a process of their own: this program
/// started again with --suspects, which runs them one at a time and leaves when none is left. A job
/// that kills it takes nobody along, and we see how it died, which the database is told.
/// Loop thread only.
class suspect_runner {
   public:
    /// `arguments` are our own; the child gets the same and --suspects.
    suspect_runner(tasks& on, logger& log, std::vector<std::string> arguments,
                   libqueue::client_options database);
    suspect_runner(const suspect_runner&) = delete;
    suspect_runner& operator=(const suspect_runner&) = delete;
    ~suspect_runner();

    /// Suspects stand in line: starts the child unless it runs.
    void start();
    /// Asks the child to drain and starts no more.
    void drain();
    /// Waits for the drained child, at most so long; the loop has ended.
    void finish(std::chrono::milliseconds time);

   private:
    void launch();
    void on_end();
    boost::asio::awaitable<void> watch();
    void tell_database(int pid, const std::string& how);

    tasks& tasks_;
    logger& log_;
    std::vector<std::string> arguments_;
    libqueue::client_options database_;
    std::unique_ptr<child_process> child_;
    // A descriptor of its own: closing it must not close the child's.
    boost::asio::posix::stream_descriptor ended_;
    boost::asio::thread_pool telling_{1};  // talks to the database, which may block
    bool again_ = false;
    bool draining_ = false;
};

}  // namespace workerd
