// How to test code that enqueues and handles jobs: this program is such a test. It needs no
// database: libqueue::testing starts a private PostgreSQL (or set LIBQUEUE_TEST_DSN). Every check
// throws, so it works the same in doctest, Catch2 and GoogleTest.
// [testing]
#include <libqueue/libqueue.hpp>
#include <libqueue/testing.hpp>

#include <iostream>

using namespace std::chrono_literals;
namespace testing = libqueue::testing;

struct welcome {
    static constexpr libqueue::kind_name kind{"example.welcome"};
    std::string to;
};

// The code under test: a mail now, another in a day.
void sign_up(libqueue::client& client, const std::string& address) {
    client.enqueue(libqueue::to_job(welcome{address}).tag("first")).value();
    client.enqueue(libqueue::to_job(welcome{address}).tag("second").run_in(24h)).value();
}

libqueue::outcome deliver(const welcome&, libqueue::job_context& context) {
    return context.job().attempt == 1 ? libqueue::retry_after(5min, "greylisted")
                                      : libqueue::completed();
}

int main() {
    testing::database db;
    testing::inline_worker worker{db, {libqueue::handle<welcome>(deliver)}};

    sign_up(db.client(), "ada@example.com");
    testing::assert_enqueued(
        db, testing::expected_job{"example.welcome"}.tagged("second").due_after(23h));

    const auto first = worker.drain();
    std::cout << first.size() << " run, " << first.at(0).said.message() << '\n';
    db.move_time(5min);
    std::cout << to_string(worker.drain().at(0).job.state) << '\n';

    db.move_time(24h);
    worker.drain();
    db.move_time(5min);
    worker.drain();
    testing::refute_enqueued(db, testing::expected_job{"example.welcome"});
}
// [testing]
