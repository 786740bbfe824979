#include "system/qctl_bench.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

using test::contains;
using test::lines_of;
using test::qctl_bench;

namespace {

using words = std::vector<std::string>;

std::string numbered_lines(int count) {
    std::string lines;
    for (int i = 1; i <= count; ++i) {
        lines += "{\"n\":" + std::to_string(i) + "}\n";
    }
    return lines;
}

/// A pipe with a name: qctl reads what the test writes, when it writes it.
class fifo {
   public:
    explicit fifo(const std::filesystem::path& path) : path_{path.string()} {
        REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    }
    ~fifo() { close(); }
    fifo(const fifo&) = delete;
    fifo& operator=(const fifo&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    void write(const std::string& text) {
        if (fd_ < 0) {
            fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
        }
        std::size_t done = 0;
        while (done < text.size()) {
            const auto count = ::write(fd_, text.data() + done, text.size() - done);
            REQUIRE(count > 0);
            done += static_cast<std::size_t>(count);
        }
    }

    void close() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
        fd_ = -1;
    }

   private:
    std::string path_;
    int fd_{-1};
};

}  // namespace

TEST_SUITE("qctl enqueue --bulk") {
    TEST_CASE("each line is a payload of the kind given") {
        const qctl_bench bench;
        const auto file = bench.files.write("payloads.jsonl", numbered_lines(2'500)).string();

        const auto done = bench.run({"enqueue", "a.b", "--bulk", file, "--priority", "3"});
        const auto ids = bench.run({"enqueue", "a.b", "--bulk", "-", "-o", "id"}, "1\n\n  \n2\r\n");
        const auto summary = bench.json({"enqueue", "a.b", "--bulk", "-"}, "\xef\xbb\xbf{}\n{}");

        CHECK(done.code == 0);
        CHECK(done.output == "enqueued 2500 jobs\n");
        CHECK(lines_of(ids.output) == 2);
        CHECK(summary.at("enqueued") == 2);
        CHECK(summary.at("last_id").as_int64() == summary.at("first_id").as_int64() + 1);
        CHECK(bench.jobs() == 2'504);
        CHECK(bench.database.query("SELECT count(*) FROM queue.jobs WHERE priority = 3 AND "
                                   "payload->>'n' IS NOT NULL") == "2500");
    }

    TEST_CASE("each line is an object that names kind and options") {
        const qctl_bench bench;
        const std::string lines =
            R"({"kind":"a.b","payload":{"big":12345678901234567890.10},"priority":1})"
            "\n"
            R"({"kind":"c.d","tags":["x"],"delay":"1h","meta":{"k":1}})"
            "\n"
            R"({"kind":"e.f","payload":[1],"idempotency_key":"k"})"
            "\n";

        const auto done = bench.run({"enqueue", "--bulk", "-", "-o", "jsonl"}, lines);

        CHECK(done.output ==
              "{\"line\":1,\"id\":1}\n{\"line\":2,\"id\":2}\n{\"line\":3,\"id\":3}\n");
        CHECK(bench.database.query("SELECT payload FROM queue.job WHERE id = 1") ==
              R"({"big": 12345678901234567890.10})");
        const auto second = bench.json({"jobs", "show", "2"});
        CHECK(second.at("kind") == "c.d");
        CHECK(second.at("state") == "scheduled");
        CHECK(second.at("meta").at("k") == 1);
    }

    TEST_CASE("the first bad line ends the run: all before it, nothing from it on") {
        const qctl_bench bench;
        const auto bad_at = [&](const std::string& bad) {
            const auto before = bench.jobs();
            const auto [code, error] =
                bench.error({"enqueue", "a.b", "--bulk", "-"},
                            numbered_lines(1'200) + bad + "\n" + numbered_lines(10));
            CHECK(code == 8);
            CHECK(contains(std::string{error.at("message").as_string()}, "line 1201: "));
            CHECK(contains(std::string{error.at("hint").as_string()}, "tail -n +1201"));
            CHECK(bench.jobs() == before + 1'200);
        };

        bad_at("{\"n\": ");
        bad_at(R"({"a": "\u0000"})");
        bad_at("\"" + std::string(1'100'000, 'x') + "\"");
    }

    TEST_CASE("a bad object is named by its line, whether we or the database refuse it") {
        const qctl_bench bench;
        for (const auto* const bad :
             {R"({"payload":1})", R"({"kind":"A B"})", R"({"kind":"a.b","queue":"nope"})",
              R"({"kind":"a.b","prioriti":1})", R"({"kind":"a.b","idempotency_key":""})",
              R"({"kind":"a.b","tenant_id":"x"})", R"({"kind":"a.b","meta":[1]})", "[1]"}) {
            CAPTURE(bad);
            const auto before = bench.jobs();
            const auto done = bench.run({"enqueue", "--bulk", "-"},
                                        std::string{"{\"kind\":\"a.b\"}\n"} + bad + "\n");
            CHECK(done.code == 8);
            CHECK(contains(done.errors, "line 2: "));
            CHECK(contains(done.errors, "1 job up to line 1 enqueued"));
            CHECK(bench.jobs() == before + 1);
        }
    }

    TEST_CASE("a dry run checks every line and enqueues none") {
        const qctl_bench bench;

        const auto bad = bench.run({"enqueue", "a.b", "--bulk", "-", "-n"}, "{}\n{\n{}\n}\n");
        const auto good = bench.run({"enqueue", "a.b", "--bulk", "-", "-n"}, "{}\n{}\n");

        CHECK(bad.code == 2);
        CHECK(contains(bad.errors, "line 2: "));
        CHECK(contains(bad.errors, "line 4: "));
        CHECK(contains(bad.errors, "2 bad lines"));
        CHECK(good.output == "would enqueue 2 jobs\n");
        CHECK(bench.jobs() == 0);
    }

    TEST_CASE("flags that make no sense for many jobs are refused") {
        const qctl_bench bench;

        CHECK(bench.code({"enqueue", "a.b", "--bulk", "-", "--unique-key", "k"}) == 2);
        CHECK(bench.code({"enqueue", "a.b", "--bulk", "-", "--wait"}) == 2);
        CHECK(bench.code({"enqueue", "a.b", "{}", "--bulk", "-"}) == 2);
        CHECK(bench.code({"enqueue", "a.b", "--bulk", "/"}) == 2);
    }

    TEST_CASE("Ctrl-C stops after the batch under way and says how far it got") {
        const qctl_bench bench;
        fifo input{bench.files.path() / "jobs"};
        test::process qctl{bench.command({"enqueue", "a.b", "--bulk", input.path()})};

        input.write(numbered_lines(1'500));
        REQUIRE(test::wait_until([&] { return bench.jobs() == 1'000; }));
        qctl.signal(SIGINT);
        // Not ended by it: the reader still waits for the rest of its batch, then sees the end.
        input.write(numbered_lines(10));
        input.close();
        const auto ended = qctl.wait(std::chrono::seconds{30});

        REQUIRE(ended);
        CHECK(ended->code == 130);
        CHECK(contains(qctl.errors(), "interrupted; 1000 jobs up to line 1000 enqueued"));
        CHECK(bench.jobs() == 1'000);
    }

    TEST_CASE("a second Ctrl-C ends it at once, and so does one while waiting for a job") {
        const qctl_bench bench;
        fifo input{bench.files.path() / "jobs"};
        test::process bulk{bench.command({"enqueue", "a.b", "--bulk", input.path()})};
        input.write(numbered_lines(1'000));
        REQUIRE(test::wait_until([&] { return bench.jobs() == 1'000; }));
        test::process waiting{bench.command({"enqueue", "a.b", "--wait=1h"})};
        REQUIRE(test::wait_until([&] { return bench.jobs() == 1'001; }));

        waiting.signal(SIGINT);
        // Two signals sent at once may arrive as one.
        const bool over = test::wait_until([&] {
            bulk.signal(SIGINT);
            return !bulk.running();
        });

        CHECK(over);
        CHECK(bulk.wait()->code == 130);
        const auto ended = waiting.wait();
        REQUIRE(ended);
        CHECK(ended->code == 130);
    }

    TEST_CASE("a database that goes away in the middle is told apart from a bad line") {
        test::pg_cluster cluster;
        test::test_database database{cluster};
        test::temp_dir files;
        fifo input{files.path() / "jobs"};
        test::process_options options{test::binary("qctl"),
                                      {"enqueue", "a.b", "--bulk", input.path()}};
        options.env.emplace_back("QCTL_DB", database.dsn());
        test::process qctl{options};
        input.write(numbered_lines(1'000));
        REQUIRE(test::wait_until(
            [&] { return database.query("SELECT count(*) FROM queue.job") == "1000"; }));

        cluster.stop();
        input.write(numbered_lines(1'000));
        input.close();
        const auto ended = qctl.wait(std::chrono::seconds{30});

        REQUIRE(ended);
        CHECK(ended->code == 8);
        CHECK(contains(qctl.errors(), "1000 jobs up to line 1000 enqueued"));
        cluster.start();
        CHECK(database.query("SELECT count(*) FROM queue.job") == "1000");
    }
}
