// Handles the jobs of 01_enqueue until SIGTERM or SIGINT; with a number as argument, until so many
// have run.
// [handle]
#include <libqueue/libqueue.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <semaphore>

struct greeting {
    static constexpr libqueue::kind_name kind{"example.greet"};
    std::string name;
    int times = 1;
};

std::counting_semaphore<> handled{0};

libqueue::outcome greet(const greeting& job, libqueue::job_context& context) {
    for (int i = 0; i < job.times && !context.stop_requested(); ++i) {
        std::cout << "hello " << job.name << ", attempt " << context.job().attempt << '\n';
    }
    handled.release();
    return libqueue::completed(R"({"greeted": true})");
}
// [handle]

int main(int argc, char** argv) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    // [run]
    libqueue::worker_options options;
    const char* dsn = std::getenv("DATABASE_URL");
    options.dsn = dsn != nullptr ? dsn : "";
    options.queues.emplace_back("default", 10);
    libqueue::worker worker{options, {libqueue::handle<greeting>(greet)}};
    worker.start();
    // [run]
    if (argc > 1) {
        for (int left = std::atoi(argv[1]); left > 0; --left) {
            handled.acquire();
        }
    } else {
        int signal = 0;
        sigwait(&ends, &signal);
    }
    worker.stop();
}
