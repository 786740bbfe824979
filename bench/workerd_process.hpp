#pragma once

#include <sys/types.h>

#include <string>

namespace bench {

/// The real daemon as a child process; told to leave (SIGTERM) at the end.
class workerd_process {
   public:
    /// Its output goes to `config` + ".log".
    workerd_process(const std::string& program, const std::string& config);
    workerd_process(const workerd_process&) = delete;
    workerd_process& operator=(const workerd_process&) = delete;
    ~workerd_process();
    /// Throws when it has ended by itself.
    void check();

   private:
    std::string log_;
    pid_t pid_{-1};
};

}  // namespace bench
