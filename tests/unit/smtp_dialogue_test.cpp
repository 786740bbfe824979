#include "dev/smtp_dialogue.hpp"

#include <doctest/doctest.h>

#include <string>

using workerd::smtp_dialogue;

namespace {

std::string code(smtp_dialogue& dialogue, std::string_view line) {
    return dialogue.on_line(line).substr(0, 3);
}

}  // namespace

TEST_SUITE("smtp sink") {
    TEST_CASE("smtp sink: a mail is taken with its envelope, dots unstuffed") {
        smtp_dialogue dialogue;
        CHECK(code(dialogue, "ehlo here") == "250");
        CHECK(code(dialogue, "MAIL FROM:<a@b.c> SIZE=10") == "250");
        CHECK(code(dialogue, "RCPT TO:<d@e.f>") == "250");
        CHECK(code(dialogue, "rcpt to: <g@h.i>") == "250");
        CHECK(code(dialogue, "DATA") == "354");
        for (const auto* line : {"Subject: x", "", "..dot", "text"})
            CHECK(dialogue.on_line(line).empty());
        CHECK_FALSE(dialogue.has_mail());
        CHECK(dialogue.on_line(".").empty());
        REQUIRE(dialogue.has_mail());

        const auto mail = dialogue.take_mail();

        CHECK(mail.from == "a@b.c");
        CHECK(mail.to == std::vector<std::string>{"d@e.f", "g@h.i"});
        CHECK(mail.data == "Subject: x\r\n\r\n.dot\r\ntext\r\n");
        CHECK_FALSE(dialogue.has_mail());
        CHECK(code(dialogue, "DATA") == "503");
        CHECK(code(dialogue, "QUIT") == "221");
        CHECK(dialogue.is_over());
    }

    TEST_CASE("smtp sink: commands out of order are refused") {
        smtp_dialogue dialogue;
        CHECK(code(dialogue, "MAIL FROM:<a@b.c>") == "503");
        CHECK(code(dialogue, "HELO x") == "250");
        CHECK(code(dialogue, "RCPT TO:<a@b.c>") == "503");
        CHECK(code(dialogue, "MAIL FROM:a@b.c") == "501");
        CHECK(code(dialogue, "MAIL FROM:<>") == "250");
        CHECK(code(dialogue, "RCPT TO:<>") == "501");
        CHECK(code(dialogue, "DATA") == "503");
        CHECK(code(dialogue, "STARTTLS") == "502");
        CHECK(code(dialogue, "") == "502");
        CHECK(code(dialogue, "MAILBOX") == "502");
    }

    TEST_CASE("smtp sink: a mail over the limit is refused at its end, the next one is taken") {
        smtp_dialogue dialogue;
        const auto start = [&] {
            CHECK(code(dialogue, "EHLO x") == "250");
            CHECK(code(dialogue, "MAIL FROM:<a@b.c>") == "250");
            CHECK(code(dialogue, "RCPT TO:<a@b.c>") == "250");
            CHECK(code(dialogue, "DATA") == "354");
        };
        start();
        const std::string line(60'000, 'x');
        for (std::size_t sent = 0; sent < smtp_dialogue::mail_bytes_max + line.size();
             sent += line.size())
            CHECK(dialogue.on_line(line).empty());
        CHECK(code(dialogue, ".") == "552");
        CHECK_FALSE(dialogue.has_mail());

        start();
        CHECK(dialogue.on_line(".").empty());
        CHECK(dialogue.has_mail());
    }
}
