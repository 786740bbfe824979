#include "ledger.hpp"

#include <libqueue/job_context.hpp>

#include <boost/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace faults {

namespace {

using boost::asio::awaitable;
using libqueue::outcome;

int open_ledger() {
    const char* path = std::getenv("LIBQUEUE_LEDGER");
    if (path == nullptr) {
        throw std::runtime_error{"LIBQUEUE_LEDGER: expected the file to write runs to, got none"};
    }
    const int file = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        throw std::system_error{errno, std::generic_category(), path};
    }
    return file;
}

void append(const libqueue::job& job, char what, const char* how) {
    static const int file = open_ledger();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string line =
        std::string{what} + " " + std::to_string(job.id) + " " + std::to_string(job.lease) + " " +
        std::to_string(job.attempt) + " " + std::to_string(::getpid()) + " " +
        std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) + " " +
        how + "\n";
    if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        throw std::system_error{errno, std::generic_category(), "writing the ledger"};
    }
}

int number_of(const boost::json::object& payload, const char* name) {
    const auto* value = payload.if_contains(name);
    return value == nullptr ? 0 : value->to_number<int>();
}

/// What a job is asked to do.
class order {
   public:
    explicit order(const libqueue::job_context& context)
        : payload_{boost::json::parse(context.payload()).as_object()},
          time{number_of(payload_, "ms")},
          fails{number_of(payload_, "fails")} {}

   private:
    boost::json::object payload_;

   public:
    std::chrono::milliseconds time;
    int fails;
};

/// The end of a run, `whole` or told to stop.
outcome end_of(const libqueue::job_context& context, const order& asked, bool whole) {
    if (!whole) {
        append(context.job(), 'E', "stopped");
        return context.stop_reason() == libqueue::stop_reason::cancelled
                   ? libqueue::cancelled()
                   : libqueue::snooze(std::chrono::milliseconds{0}, "asked to stop");
    }
    if (context.job().attempt <= asked.fails) {
        append(context.job(), 'E', "failed");
        return libqueue::retry("fails as asked");
    }
    append(context.job(), 'E', "done");
    return libqueue::completed();
}

awaitable<outcome> work(libqueue::job_context& context) {
    append(context.job(), 'B', "begin");
    const order asked{context};
    bool whole = true;
    if (asked.time.count() > 0) {
        whole = co_await context.sleep(asked.time);
    }
    co_return end_of(context, asked, whole);
}

outcome block(libqueue::job_context& context) {
    append(context.job(), 'B', "begin");
    const order asked{context};
    std::mutex mutex;
    std::unique_lock lock{mutex};
    std::condition_variable_any told;
    // Nobody notifies: it ends with its time, or early when asked to stop.
    static_cast<void>(told.wait_for(lock, context.stop_token(), asked.time, [] { return false; }));
    return end_of(context, asked, !context.stop_requested());
}

}  // namespace

std::vector<libqueue::registration> make_ledger_kinds() {
    std::vector<libqueue::registration> kinds;
    kinds.emplace_back("ledger.work").handle = &work;
    kinds.emplace_back("ledger.block").handle_blocking = &block;
    return kinds;
}

std::vector<run_line> read_ledger(const std::filesystem::path& file) {
    std::ifstream input{file};
    std::vector<run_line> lines;
    for (std::string text; std::getline(input, text) && !input.eof();) {
        std::istringstream fields{text};
        char what = 0;
        std::string how;
        run_line line;
        fields >> what >> line.job >> line.lease >> line.attempt >> line.pid >> line.at_us >> how;
        if (!fields || (what != 'B' && what != 'E')) {
            throw std::runtime_error{"the ledger has a line nobody wrote: " + text};
        }
        line.begin = what == 'B';
        line.done = how == "done";
        lines.push_back(line);
    }
    return lines;
}

}  // namespace faults
