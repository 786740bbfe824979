#include "support/test_database.hpp"

#include <libqueue/archives.hpp>
#include <libqueue/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using libqueue::errc;

namespace {

/// A client of a database of its own, and an archive `a` with so many jobs of 1 KB each.
class bench {
   public:
    explicit bench(int jobs) {
        REQUIRE(archives.set("k", "a").has_value());
        db.execute(
            "INSERT INTO queue.archived_job SELECT 'a', n, now(), now(), now(), "
            "now() - n * interval '1 hour', 5, 1, 4, NULL, 'default', 'k', 'completed', NULL, "
            "jsonb_build_object('text', (SELECT string_agg(md5(n::text || i), '') "
            "FROM generate_series(1, 32) i)), NULL, NULL, '[]' FROM generate_series(1, $1::int) n",
            {std::to_string(jobs)});
    }

    test::test_database db;
    libqueue::client client{libqueue::client_options{db.dsn()}};
    libqueue::archives archives{client};
};

}  // namespace

TEST_SUITE("archives") {
    TEST_CASE("pages end by rows or by bytes, and together they are everything once") {
        bench with{100};
        for (const std::int64_t bytes : {1, 5'000, 1'000'000}) {
            CAPTURE(bytes);
            libqueue::archived_filter filter{"a"};
            filter.limit = 30;
            filter.bytes = bytes;
            std::vector<std::string> ids;
            std::size_t largest = 0;
            for (auto page = with.archives.jobs(filter).value(); !page.rows.empty();
                 page = with.archives.jobs(filter).value()) {
                for (const auto& row : page.rows) {
                    ids.push_back(row.at(0).value());
                }
                largest = std::max(largest, page.rows.size());
                filter.after = std::stoll(ids.back());
            }
            CHECK(ids.size() == 100);
            CHECK(ids.front() == "1");
            CHECK(ids.back() == "100");
            CHECK(largest == (bytes == 1 ? 1 : bytes == 5'000 ? 5 : 30));
        }
    }

    TEST_CASE("count, remove, prune and retention say what they did") {
        bench with{50};
        libqueue::archived_filter filter{"a"};
        CHECK(with.archives.count(filter).value() == 50);
        filter.before = std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now() - 10h - 30min);
        CHECK(with.archives.count(filter).value() == 40);
        filter.kind = "other.*";
        CHECK(with.archives.count(filter).value() == 0);

        CHECK(with.archives.remove("a", std::vector<libqueue::job_id>{1, 2, 2, 999}).value() == 2);
        CHECK(with.archives.prune("a", *filter.before).value() == 40);
        REQUIRE(with.archives.set_retention("a", 36h).has_value());
        const auto list = with.archives.list();
        REQUIRE(list.rows.size() == 1);
        CHECK(list.rows[0][1] == "{k}");
        CHECK(list.rows[0][2] == "129600000");
        CHECK(list.rows[0][3] == "8");
    }

    TEST_CASE("unknown archives and bad names are results and change nothing") {
        bench with{1};
        CHECK(with.archives.jobs(libqueue::archived_filter{"b"}).error().code == errc::not_found);
        CHECK(with.archives.count(libqueue::archived_filter{"b"}).error().code == errc::not_found);
        CHECK(with.archives.remove("b", {}).error().code == errc::not_found);
        CHECK(with.archives.prune("b", {}).error().code == errc::not_found);
        CHECK(with.archives.set_retention("b", 1h).error().code == errc::not_found);
        CHECK(with.archives.set_retention("a", -1h).error().code == errc::invalid_argument);
        CHECK(with.archives.set("k", "../a").error().code == errc::invalid_argument);
        CHECK(with.archives.set("k", std::string{"a\0b", 3}).error().code ==
              errc::invalid_argument);
        CHECK(with.archives.jobs(libqueue::archived_filter{"\xff"}).error().code ==
              errc::invalid_argument);
        CHECK(with.archives.remove("a", std::vector<libqueue::job_id>(10'001)).error().code ==
              errc::invalid_argument);
        CHECK(with.archives.count(libqueue::archived_filter{"a"}).value() == 1);
    }

    TEST_CASE("a subject given at enqueue is erased by it") {
        bench with{0};
        libqueue::new_job job{"k", R"({"mail": "ann"})"};
        const auto id = with.client.enqueue(std::move(job.about("ann"))).value().id;
        libqueue::erasure_request request{"ann"};
        request.dry_run = true;
        CHECK_FALSE(libqueue::erase(with.client, request).value().id.has_value());
        request.dry_run = false;
        request.reason = "asked";

        const auto found = libqueue::erase(with.client, request).value();

        CHECK(found.id.has_value());
        CHECK(found.jobs == 1);
        CHECK(found.cancelled == 1);
        CHECK(with.db.query("SELECT payload FROM queue.job WHERE id = $1", {std::to_string(id)}) ==
              R"({"erased": true})");
        CHECK(libqueue::list_erasures(with.client, 10).rows.size() == 1);
        request.tenant_id = "nobody";
        CHECK(libqueue::erase(with.client, request).error().code == errc::invalid_argument);
        CHECK(libqueue::erase(with.client, libqueue::erasure_request{""}).error().code ==
              errc::invalid_argument);
    }
}
