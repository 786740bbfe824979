#include <libqueue/libqueue.hpp>

#include <iostream>

namespace {

libqueue::outcome handle(libqueue::job_context&) {
    return libqueue::completed();
}

}  // namespace

// Links both halves of the library, the producer's and the worker's; the database is not there.
int main() {
    libqueue::registration kind{"greet"};
    kind.handle_blocking = handle;
    libqueue::worker_options options;
    options.dsn = "host=/nonexistent";
    options.queues.emplace_back("default", 1);
    libqueue::worker worker{options, {kind}};

    libqueue::client client{libqueue::client_options{"host=/nonexistent"}};
    try {
        const auto done = client.enqueue(libqueue::new_job{"greet", "{}"});
        std::cerr << "enqueued without a database\n";
        return done.has_value() ? 1 : 2;
    } catch (const libqueue::failure& why) {
        std::cout << "libqueue " << libqueue::version << ": " << why.what() << '\n';
    }
    return 0;
}
