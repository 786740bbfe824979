#include "printable.hpp"
#include "top_frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace {

using qctl::top_key;
using qctl::top_order;

qctl::top_queue queue(std::string name, std::int64_t ready, std::optional<double> oldest,
                      bool paused = false) {
    qctl::top_queue made;
    made.name = std::move(name);
    made.ready = ready;
    made.oldest_seconds = oldest;
    made.paused = paused;
    return made;
}

qctl::top_frame frame_of(std::vector<qctl::top_queue> queues) {
    qctl::top_frame frame;
    frame.place = "here";
    frame.queues = std::move(queues);
    return frame;
}

std::string names(const qctl::top_frame& of, const qctl::top_view& how) {
    std::string all;
    for (const auto& each : shown_queues(of, how)) {
        all += (all.empty() ? "" : " ") + each.name;
    }
    return all;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string all;
    for (const auto& line : lines) {
        all += line + '\n';
    }
    return all;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

top_key key_of(std::string typed) {
    return qctl::read_key(typed, true).key;
}

}  // namespace

TEST_SUITE("qctl top") {
    TEST_CASE("worst first: paused with jobs, the longest wait, what is dead") {
        auto dead = queue("dead", 0, std::nullopt);
        dead.dead = 9;
        const auto frame = frame_of({queue("well", 0, std::nullopt), dead, queue("late", 5, 700.0),
                                     queue("halted", 1, 2.0, true), queue("idle", 0, {}, true)});
        qctl::top_view how;

        CHECK(names(frame, how) == "halted late dead idle well");
        how.order = top_order::name;
        CHECK(names(frame, how) == "dead halted idle late well");
        how.order = top_order::dead;
        CHECK(names(frame, how).starts_with("dead"));
        how.filter = "al";
        CHECK(names(frame, how) == "halted");
    }

    TEST_CASE("a frame fits the screen whatever its size, and is never torn") {
        std::vector<qctl::top_queue> queues;
        for (int i = 0; i < 64; ++i) {
            queues.push_back(
                queue("queue-with-a-long-name-" + std::to_string(i), i * 1000, i * 9.0));
        }
        auto frame = frame_of(std::move(queues));
        for (int i = 0; i < 20; ++i) {
            frame.workers.push_back(
                {.name = "w", .state = "running", .live = true, .active = 1, .queues = "a"});
            frame.kinds.push_back({.name = "k", .says = "bad", .bad = true});
        }
        qctl::top_view how;
        for (std::size_t height : {1U, 2U, 5U, 24U, 60U, 200U}) {
            for (std::size_t width : {1U, 10U, 80U, 300U}) {
                how.height = height;
                how.width = width;
                for (const auto& line : top_lines(frame, how)) {
                    CHECK(qctl::display_width(line) <= width);
                }
                CHECK(top_lines(frame, how).size() <= height);
            }
        }
        how.height = 24;
        how.width = 100;
        const auto first = joined(top_lines(frame, how));
        CHECK(contains(first, "queue-with-a-long-name-63"));
        CHECK(contains(first, "WORKER"));
        how.scrolled = 63;
        CHECK(contains(joined(top_lines(frame, how)), "queue-with-a-long-name-0"));
    }

    TEST_CASE("names cannot draw on the terminal") {
        auto frame = frame_of({queue("a\x1b[2Jb", 1, 1.0)});
        frame.workers.push_back(
            {.name = "w\r\n", .state = "\x1b]0;x\x07", .live = true, .active = 1, .queues = "a"});
        frame.problem = "lost\x1b[31m";

        const auto text = joined(top_lines(frame, qctl::top_view{}));

        CHECK(text.find('\x1b') == std::string::npos);
        CHECK(text.find('\r') == std::string::npos);
    }

    TEST_CASE("figures of before stay when nobody answers, and the reason is said") {
        auto frame = frame_of({queue("money", 12, 3.0)});
        frame.problem = "connection refused";

        const auto text = joined(top_lines(frame, qctl::top_view{}));

        CHECK(contains(text, "no answer: connection refused"));
        CHECK(contains(text, "money"));
    }

    TEST_CASE("keys are read whole, and an escape alone is one when nothing follows") {
        CHECK(key_of("q") == top_key::quit);
        CHECK(key_of("\x03") == top_key::interrupt);
        CHECK(key_of("\x1b[A") == top_key::up);
        CHECK(key_of("\x1bOB") == top_key::down);
        CHECK(key_of("\x1b[6~") == top_key::page_down);
        CHECK(key_of("\x1b") == top_key::escape);
        std::string half = "\x1b[";
        CHECK(qctl::read_key(half, false).key == top_key::none);
        CHECK(half.size() == 2);
        half += "5~x";
        CHECK(qctl::read_key(half, false).key == top_key::page_up);
        CHECK(half == "x");
    }

    TEST_CASE("a filter is typed, kept, mended and taken back") {
        qctl::top_view how;
        std::string typed = "/mo\x7fqé";
        while (!typed.empty()) {
            press(how, qctl::read_key(typed, false), 3);
        }

        CHECK(how.typing);
        CHECK(how.filter == "mqé");
        std::string more = "\x7f\r";
        while (!more.empty()) {
            press(how, qctl::read_key(more, false), 3);
        }
        CHECK(how.filter == "mq");
        CHECK_FALSE(how.typing);
        press(how, {.key = top_key::escape, .text = {}}, 3);
        CHECK(how.filter.empty());
    }

    TEST_CASE("whatever is typed ends up read, and the view stays drawable") {
        std::mt19937 random{7};
        auto frame = frame_of({queue("a", 1, 1.0), queue("b", 2, {})});
        qctl::top_view how;
        how.height = 20;
        for (int round = 0; round < 2'000; ++round) {
            std::string typed;
            for (unsigned i = 0; i < random() % 12; ++i) {
                typed += static_cast<char>(random() % 4 == 0 ? 0x1b : random() % 256);
            }
            while (!typed.empty()) {
                const auto before = typed.size();
                press(how, qctl::read_key(typed, true), shown_queues(frame, how).size());
                REQUIRE(typed.size() < before);
            }
            REQUIRE(top_lines(frame, how).size() <= how.height);
            REQUIRE_FALSE(qctl::invalid_utf8_at(how.filter));
        }
    }
}
