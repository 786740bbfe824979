#include "support/run.hpp"
#include "support/test_database.hpp"

#include <libqueue/async_client.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <future>

namespace asio = boost::asio;

using libqueue::async_client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::new_job;

namespace {

asio::awaitable<libqueue::job_info> enqueue_and_get(async_client& on) {
    new_job job{"a.b", R"({"n": 1})"};
    job.with_priority(3);
    auto made = co_await on.enqueue(std::move(job), asio::use_awaitable);
    const libqueue::job_id id = made.value().id;
    auto found = co_await on.get(id, asio::use_awaitable);
    co_return std::move(found).value();
}

asio::awaitable<std::size_t> enqueue_batch(async_client& on) {
    std::vector<new_job> jobs(150, new_job{"a.b", "{}"});
    auto ids = co_await on.enqueue_many(std::move(jobs), asio::use_awaitable);
    co_return ids.value().size();
}

asio::awaitable<errc> refused_code(async_client& on) {
    new_job job{"a.b", "{"};
    auto made = co_await on.enqueue(std::move(job), asio::use_awaitable);
    co_return made.error().code;
}

asio::awaitable<bool> fails(async_client& on) {
    new_job job{"a.b", "{}"};
    try {
        auto made = co_await on.enqueue(std::move(job), asio::use_awaitable);
        static_cast<void>(made);
    } catch (const libqueue::failure& what) {
        co_return what.retryable();
    }
    co_return false;
}

TEST_SUITE("async_client") {
    TEST_CASE("use_awaitable: enqueues, reads back and refuses as the blocking client does") {
        const test::test_database db;
        asio::io_context io;
        async_client on{io.get_executor(), client_options{db.dsn()}};

        const libqueue::job_info job = test::run(io, enqueue_and_get(on));

        CHECK(job.priority == 3);
        CHECK(job.payload == R"({"n": 1})");
        CHECK(test::run(io, enqueue_batch(on)) == 150);
        CHECK(test::run(io, refused_code(on)) == errc::invalid_payload);
        CHECK(db.query("SELECT count(*) FROM queue.job") == "151");
    }

    TEST_CASE("use_future: works without anybody running the executor's thread") {
        const test::test_database db;
        asio::thread_pool pool{1};
        async_client on{pool.get_executor(), client_options{db.dsn()}};

        std::future<libqueue::result<libqueue::enqueued>> made =
            on.enqueue(new_job{"a.b", "{}"}, asio::use_future);

        CHECK(made.get().has_value());
    }

    TEST_CASE("callback: runs on the handler's executor, after the call has returned") {
        const test::test_database db;
        asio::io_context ours;
        asio::io_context theirs;
        async_client on{ours.get_executor(), client_options{db.dsn()}};
        bool called = false;

        on.get(4711, asio::bind_executor(theirs, [&](std::exception_ptr fault,
                                                     libqueue::result<libqueue::job_info> job) {
                   called = true;
                   CHECK(fault == nullptr);
                   CHECK(job.error().code == errc::not_found);
                   CHECK(theirs.get_executor().running_in_this_thread());
               }));
        CHECK_FALSE(called);
        theirs.run();

        CHECK(called);
    }

    TEST_CASE("strand: answers through it, however many calls are under way") {
        const test::test_database db;
        asio::thread_pool pool{4};
        async_client on{pool.get_executor(), client_options{db.dsn()}};
        const auto strand = asio::make_strand(pool);
        int answered = 0;

        for (int i = 0; i < 50; ++i) {
            on.enqueue(new_job{"a.b", "{}"},
                       asio::bind_executor(strand, [&](std::exception_ptr fault,
                                                       libqueue::result<libqueue::enqueued> made) {
                           answered += fault == nullptr && made.has_value() ? 1 : 0;
                       }));
        }
        pool.join();

        CHECK(answered == 50);
    }

    TEST_CASE("failure: a database that is away throws out of the co_await") {
        asio::io_context io;
        async_client on{io.get_executor(), client_options{"host=/nonexistent"}};

        CHECK(test::run(io, fails(on)));
    }

    TEST_CASE("destruction: calls that were not sent complete with a failure, none is lost") {
        const test::test_database db;
        asio::io_context io;
        int answered = 0;
        int failed = 0;
        {
            async_client on{io.get_executor(), client_options{db.dsn()}};
            for (int i = 0; i < 200; ++i) {
                on.enqueue(new_job{"a.b", "{}"},
                           [&](std::exception_ptr fault, libqueue::result<libqueue::enqueued>) {
                               ++answered;
                               failed += fault != nullptr ? 1 : 0;
                           });
            }
        }
        CHECK(answered == 0);
        io.run();

        CHECK(answered == 200);
        CHECK(db.query("SELECT count(*) FROM queue.job") == std::to_string(200 - failed));
    }
}

}  // namespace
