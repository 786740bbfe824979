#include "crossed_tries.hpp"
#include "crossed_world.hpp"
#include "run.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

// The same with qctl: over the API with the token of an administrator of one tenant, and on the
// database as a login role for one tenant. It is called as a function here; the other tests of
// qctl run it as a program. LIBQUEUE_CROSSED_LINES: how often (default 120); LIBQUEUE_CROSSED_SEED:
// who reaches for whose (default 4711), for several at a time.

using test::crossed_line;
using test::crossed_world;

namespace {

/// Takes what this process writes to a descriptor while it lives.
class taken_output {
   public:
    explicit taken_output(int descriptor)
        : descriptor_{descriptor}, kept_{::dup(descriptor)}, file_{::memfd_create("taken", 0)} {
        ::dup2(file_, descriptor_);
    }
    taken_output(const taken_output&) = delete;
    taken_output& operator=(const taken_output&) = delete;
    ~taken_output() {
        ::dup2(kept_, descriptor_);
        ::close(kept_);
        ::close(file_);
    }
    [[nodiscard]] std::string text() const {
        std::string all;
        std::array<char, 65536> bytes{};
        ssize_t got = 0;
        while ((got = ::pread(file_, bytes.data(), bytes.size(), static_cast<off_t>(all.size()))) >
               0)
            all.append(bytes.data(), static_cast<std::size_t>(got));
        return all;
    }

   private:
    int descriptor_;
    int kept_;
    int file_;
};

class spoken {
   public:
    int code;
    std::string text;
};

spoken say(const std::string& words) {
    std::vector<std::string> all;
    std::istringstream from{words};
    for (std::string word; from >> word;)
        all.push_back(word);
    std::fflush(stdout);
    std::cout.flush();
    const taken_output out{STDOUT_FILENO};
    const taken_output err{STDERR_FILENO};
    const int code = static_cast<int>(qctl::run(all));
    std::fflush(stdout);
    return {code, out.text() + err.text()};
}

int wanted(const char* variable, int otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::atoi(text);
}

void set(const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);
}

/// Where the next line goes: the API, or the database as one of two roles.
void place(const crossed_world& world, int me, unsigned way) {
    set("QCTL_SERVER", way == 0 ? "http://" + world.address() : "");
    set("QCTL_TOKEN_FILE", world.token_file(me).string());
    set("QCTL_DB", way == 0 ? "" : world.login(way == 1 ? "operator" : "producer", me));
}

}  // namespace

TEST_SUITE("crossed qctl") {
    TEST_CASE("crossed qctl: what is another tenant's is neither shown nor changed") {
        crossed_world world;
        for (const auto* const name :
             {"DATABASE_URL", "QCTL_MIGRATE_DB", "PGHOST", "PGUSER", "PGDATABASE"})
            set(name, "");
        set("QCTL_CONFIG", "/nonexistent/config.yaml");
        const int times = wanted("LIBQUEUE_CROSSED_LINES", 120);
        const auto lines = test::crossed_lines();
        std::mt19937 random{static_cast<unsigned>(wanted("LIBQUEUE_CROSSED_SEED", 4711))};
        std::string wrong;
        int refused = 0;
        for (int i = 0; i < times; ++i) {
            const auto& what = lines[static_cast<std::size_t>(i) % lines.size()];
            const int me = static_cast<int>(random() % crossed_world::tenants);
            const int other = (me + 1 + static_cast<int>(random() % (crossed_world::tenants - 1))) %
                              crossed_world::tenants;
            const auto way = random() % 3;
            place(world, me, static_cast<unsigned>(way));
            const auto words = world.filled(what.words, me, other);
            const auto said = say(words);
            const auto shown = crossed_world::shown(said.text, me, words);
            refused += said.code != 0 ? 1 : 0;
            // 2: the line itself is wrong, and nothing was tried.
            if (!shown.empty() || said.code == 2 || (what.refused && said.code == 0))
                wrong += std::to_string(me) + " of " + std::to_string(other) + " way " +
                         std::to_string(way) + ": " + words + ": " + std::to_string(said.code) +
                         ' ' + said.text.substr(0, 300) + '\n';
        }
        CHECK(wrong == "");
        CHECK(world.damage() == "");
        MESSAGE(times << " lines of qctl, " << refused << " refused");

        // One's own is shown; a producer looks for nothing.
        for (const unsigned way : {0U, 1U}) {
            place(world, 7, way);
            const auto said = say(world.filled("jobs list kind:$pub*", 7, 7));
            CAPTURE(said.text);
            CHECK(said.code == 0);
            CHECK(said.text.find("zzs07") != std::string::npos);
        }
    }
}
