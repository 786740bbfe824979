#include "api_matrix.hpp"
#include "crossed_tries.hpp"
#include "crossed_world.hpp"
#include "kept_connection.hpp"
#include "rights.hpp"
#include "route.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/read.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

// Sixty-four tenants reach for what is each other's through the API of a workerd: with ids, names,
// filters, cursors and keys of others, to look and to change, in every role.
// LIBQUEUE_CROSSED_TRIES: how often (default 2,000); LIBQUEUE_ISOLATION_THREADS: from how many
// connections at once (default 2).

namespace api = workerd::api;
using libqueue::role;
using test::api_request;
using test::crossed_try;
using test::crossed_world;
using test::kept_connection;
using must = crossed_try::must;

namespace {

int wanted(const char* variable, int otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::atoi(text);
}

int status_of(const std::string& answer) {
    return std::stoi(answer.substr(9, 3));
}

bool is_bare(const std::string& answer) {
    return answer.find("\"items\":[]") != std::string::npos ||
           answer.find("\"count\":0,") != std::string::npos || answer.ends_with("\r\n\r\n");
}

/// On a busy machine some questions take the database over their two seconds.
bool is_too_wide(const std::string& answer) {
    return status_of(answer) == 503 && answer.find("\"too_wide\"") != std::string::npos;
}

api_request request_of(const crossed_world& world, const crossed_try& what, int me, int other,
                       role as) {
    const auto space = what.route.find(' ');
    api_request made{std::string{what.route.substr(0, space)}, world.filled(what.target, me, other),
                     crossed_world::token(me, as), world.filled(what.body, me, other)};
    if (!what.key.empty())
        made.headers.emplace_back("Idempotency-Key", world.filled(what.key, me, other));
    return made;
}

/// What is wrong with an answer; empty: nothing.
std::string fault(const crossed_try& what, const api_request& asked, const std::string& answer,
                  int me) {
    const auto shown = crossed_world::shown(answer, me, asked.target + asked.body);
    if (!shown.empty())
        return "shows " + shown;
    const auto status = status_of(answer);
    const bool refused = status == 403 || status == 404;
    const bool has_cursor = what.target.find("cursor=") != std::string_view::npos;
    if (refused || is_too_wide(answer) || (status == 400 && has_cursor))
        return {};
    const bool right = what.answer == must::refuse    ? false
                       : what.answer == must::be_bare ? status == 200 && is_bare(answer)
                                                      : status < 300;
    return right ? std::string{} : "answered " + answer.substr(9, 3);
}

/// Cursors of lists, as their owners get them: of eight tenants, who lend them to the others.
void add_cursors(crossed_world& world) {
    constexpr int owners = 8;
    using place = std::pair<const char*, const char*>;
    constexpr std::array lists{place{"cursor_jobs", "/jobs"},
                               place{"cursor_letters", "/dead-letters"},
                               place{"cursor_operations", "/operations"},
                               place{"cursor_queue", "/queues/default/jobs"},
                               place{"cursor_schedules", "/schedules"},
                               place{"cursor_batches", "/batches"},
                               place{"cursor_subscriptions", "/subscriptions"},
                               place{"cursor_tokens", "/tokens"},
                               place{"cursor_audit", "/audit"},
                               place{"cursor_endpoints", "/webhooks/endpoints"},
                               place{"cursor_deliveries", "/webhooks/deliveries"}};
    kept_connection line{world.address()};
    const std::string name{"\"next\":\""};
    for (int n = 0; n < owners; ++n) {
        for (const auto& [cursor, list] : lists) {
            const auto answer = line.ask(api_request{"GET", std::string{list} + "?limit=1",
                                                     crossed_world::token(n, role::admin)});
            const auto at = answer.find(name);
            CAPTURE(answer);
            REQUIRE(at != std::string::npos);
            const auto begin = at + name.size();
            for (int to = n; to < crossed_world::tenants; to += owners)
                world.things(to)[cursor] = answer.substr(begin, answer.find('"', begin) - begin);
        }
    }
}

/// Rows of the table of routes that the tries have none for, and that name nothing of a tenant.
std::vector<crossed_try> all_tries() {
    const auto own = test::crossed_tries();
    std::vector<crossed_try> all{own.begin(), own.end()};
    std::set<std::string_view> known;
    for (const auto& each : own)
        known.insert(each.route);
    for (const auto& each : test::matrix_rows()) {
        if (known.contains(each.route) || each.of == test::matrix_row::whose::own)
            continue;
        known.insert(each.route);
        all.push_back(crossed_try{each.route, must::be_own, each.target, each.body});
    }
    for (const auto& to : api::all_routes()) {
        const auto name = std::string{api::to_string(to.method)} + ' ' + std::string{to.path};
        CAPTURE(name);
        CHECK((to.answers == api::shape::events || known.contains(name)));
    }
    return all;
}

class crossing {
   public:
    std::string wrong;
    int too_wide{0};
};

/// Tries one after the other on one connection.
crossing cross(const crossed_world& world, const std::vector<crossed_try>& tries, int times,
               unsigned seed) {
    constexpr std::array roles{role::admin, role::admin, role::operate, role::viewer};
    std::mt19937 random{seed};
    kept_connection line{world.address()};
    crossing made;
    for (int i = 0; i < times; ++i) {
        const auto& what = tries[random() % tries.size()];
        const int me = static_cast<int>(random() % crossed_world::tenants);
        const int other = (me + 1 + static_cast<int>(random() % (crossed_world::tenants - 1))) %
                          crossed_world::tenants;
        const auto asked = request_of(world, what, me, other, roles[random() % roles.size()]);
        std::string why;
        try {
            const auto answer = line.ask(asked);
            why = fault(what, asked, answer, me);
            made.too_wide += is_too_wide(answer) ? 1 : 0;
        } catch (const std::exception& failed) {
            why = failed.what();
        }
        if (!why.empty())
            made.wrong += std::to_string(me) + " of " + std::to_string(other) + ": " +
                          asked.method + ' ' + asked.target + ' ' + asked.body + ": " + why + '\n';
    }
    return made;
}

crossing cross_at_once(const crossed_world& world, const std::vector<crossed_try>& tries,
                       int times) {
    const int threads = std::max(1, wanted("LIBQUEUE_ISOLATION_THREADS", 2));
    std::vector<crossing> parts(static_cast<std::size_t>(threads));
    std::vector<std::jthread> running;
    unsigned seed = 4711;
    for (auto& mine : parts)
        running.emplace_back([&, each = seed++] {
            mine = cross(world, tries, (times + threads - 1) / threads, each);
        });
    running.clear();
    crossing all;
    for (const auto& each : parts) {
        all.wrong += each.wrong;
        all.too_wide += each.too_wide;
    }
    return all;
}

/// Somebody who watches /stream of their tenant, on a thread of their own.
class watcher {
   public:
    watcher(const crossed_world& world, std::size_t tenant, const std::string& last_id = {})
        : me{static_cast<int>(tenant)} {
        const auto& address = world.address();
        const auto colon = address.rfind(':');
        socket_.connect({boost::asio::ip::make_address(address.substr(0, colon)),
                         static_cast<unsigned short>(std::stoi(address.substr(colon + 1)))});
        const auto request = "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                             crossed_world::token(me, role::viewer) +
                             (last_id.empty() ? "" : "\r\nLast-Event-ID: " + last_id) + "\r\n\r\n";
        boost::asio::write(socket_, boost::asio::buffer(request));
    }
    /// Reads on until there are so many events.
    void read_events(int least) {
        std::array<char, 65536> bytes{};
        while (events() < least)
            text.append(bytes.data(), socket_.read_some(boost::asio::buffer(bytes)));
    }
    /// Reads what has come meanwhile.
    void drain() {
        std::array<char, 65536> bytes{};
        socket_.non_blocking(true);
        boost::system::error_code error;
        while (const auto got = socket_.read_some(boost::asio::buffer(bytes), error))
            text.append(bytes.data(), got);
    }
    [[nodiscard]] int events() const {
        int found = 0;
        for (auto at = text.find("\nid: "); at != std::string::npos;
             at = text.find("\nid: ", at + 1))
            ++found;
        return found;
    }
    [[nodiscard]] std::string last_id() const {
        const auto at = text.rfind("\nid: ") + 5;
        return text.substr(at, text.find('\n', at) - at);
    }

    int me;
    std::string text;

   private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_{io_};
};

/// A look at one's own: the tries find what is there, so they are not refused for nothing.
void check_owners_find(const crossed_world& world) {
    kept_connection line{world.address()};
    int me = 0;
    for (const auto& what : test::crossed_tries()) {
        if (!what.route.starts_with("GET") || what.answer == must::be_own ||
            what.route == "GET /filters/complete" || what.route == "GET /audit")
            continue;
        me = (me + 1) % crossed_world::tenants;
        const auto asked = request_of(world, what, me, me, role::admin);
        const auto answer = line.ask(asked);
        CAPTURE(asked.target);
        CAPTURE(answer);
        CHECK(status_of(answer) == 200);
        CHECK_FALSE(is_bare(answer));
        // Another, shown the same, would have been told of.
        const bool is_telling = answer.find("zzs") != std::string::npos;
        CHECK((!is_telling || !crossed_world::shown(answer, me + 1, {}).empty()));
    }
}

}  // namespace

TEST_SUITE("crossed api") {
    TEST_CASE(
        "crossed api: what is another tenant's is neither shown nor changed, whoever asks how") {
        crossed_world world;
        add_cursors(world);
        const auto tries = all_tries();
        const int times = wanted("LIBQUEUE_CROSSED_TRIES", 2'000);
        constexpr int watching = 4;
        std::vector<std::unique_ptr<watcher>> watchers;
        for (int n = 0; n < watching; ++n)
            watchers.push_back(std::make_unique<watcher>(world, n));
        for (const auto& each : watchers)
            each->read_events(1);

        const auto crossed = cross_at_once(world, tries, times);
        CHECK(crossed.wrong == "");
        CHECK(crossed.too_wide <= times / 100);

        CHECK(world.damage() == "");
        // Others go on where these left off.
        for (std::size_t n = 0; n < watching; ++n)
            watchers.push_back(
                std::make_unique<watcher>(world, watching + n, watchers[n]->last_id()));
        for (const auto& each : watchers) {
            each->read_events(1);
            each->drain();
            CHECK(each->text.find(world.things(each->me).at("op")) != std::string::npos);
            CHECK(crossed_world::shown(each->text, each->me, {}) == "");
        }
        MESSAGE(times << " tries of " << tries.size() << " kinds over HTTP, " << crossed.too_wide
                      << " took the database too long");

        check_owners_find(world);

        // Were a table not kept apart, the same tries would find it out.
        world.db().execute("ALTER TABLE queue.job DISABLE ROW LEVEL SECURITY");
        std::vector<crossed_try> looks;
        for (const auto& each : tries)
            if (each.route == "GET /jobs/{id}")
                looks.push_back(each);
        CHECK(cross(world, looks, 20, 1).wrong.find("shows zzs") != std::string::npos);
        world.db().execute("UPDATE queue.schedule SET error = 'x' WHERE name = 'zzp03.s'");
        CHECK(world.damage().starts_with("1 rows of queue.schedule changed: "));
    }
}
