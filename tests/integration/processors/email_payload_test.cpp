#include "processors/email/payload.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using libqueue::processors::email::mail_payload;
using libqueue::processors::email::mailbox;

std::string with_field(const std::string& name, const std::string& json) {
    std::string text = R"({"to": "b@example.test", "subject": "s", "text": "t")";
    if (name == "to" || name == "subject" || name == "text") {
        text = R"({"cc": "b@example.test", "subject": "s", "text": "t")";
    }
    return text + ", \"" + name + "\": " + json + "}";
}

bool accepted(const std::string& name, const std::string& json) {
    return mail_payload::parse(with_field(name, json), "a@example.test").has_value();
}

}  // namespace

TEST_SUITE("processors: email payload") {
    TEST_CASE("mailbox: addresses, with and without a name") {
        CHECK(mailbox::parse("a@b.c")->address == "a@b.c");
        CHECK(mailbox::parse(" a.b+c@d-e.example ")->domain() == "d-e.example");
        CHECK(mailbox::parse("root@localhost").has_value());
        CHECK(mailbox::parse("Ann Lee <a@b.c>")->name == "Ann Lee");
        CHECK(mailbox::parse("\"Lee, Ann\" <a@b.c>")->name == "Lee, Ann");
        CHECK(mailbox::parse("Zoë <a@b.c>")->name == "Zoë");
        CHECK(mailbox::parse("<a@b.c>")->name.empty());
        CHECK(mailbox::parse("zoë.müller@b.c")->address == "zoë.müller@b.c");
    }

    TEST_CASE("mailbox: refuses what is no single plain address") {
        for (const std::string text : {"",
                                       "a",
                                       "@",
                                       "a@",
                                       "@b",
                                       "a@b@c",
                                       "a b@c.d",
                                       "a@b c",
                                       "a@-b.c",
                                       "a@b-.c",
                                       "a@b..c",
                                       "a@.b",
                                       "a@b.",
                                       ".a@b.c",
                                       "a.@b.c",
                                       "a..b@c.d",
                                       "a@[127.0.0.1]",
                                       "\"a\"@b.c",
                                       "a,b@c.d",
                                       "a@b.c, d@e.f",
                                       "a@b.c;d@e.f",
                                       "<a@b.c",
                                       "a@b.c>",
                                       "x <a@b.c> y",
                                       "x <<a@b.c>>",
                                       "a@b.c\r\nbcc: d@e.f",
                                       "a\r\n@b.c",
                                       "x\r\ny <a@b.c>",
                                       "x\n <a@b.c>",
                                       "a@b.c\n",
                                       "\xff@b.c",
                                       "\xc0\xaf@b.c",
                                       "\xed\xa0\x80@b.c",
                                       "a\xc2\x85@b.c",
                                       "a@bü.c",
                                       "(c)a@b.c",
                                       "a:b@c.d",
                                       "a@b.c> SIZE=1",
                                       "a@b.c> <d@e.f",
                                       "x\" y <a@b.c>",
                                       "a\\@b.c"}) {
            CAPTURE(text);
            CHECK_FALSE(mailbox::parse(text).has_value());
        }
        CHECK_FALSE(mailbox::parse(std::string{"a\0b@c.d", 7}).has_value());
        CHECK_FALSE(mailbox::parse(std::string(65, 'a') + "@b.c").has_value());
        CHECK_FALSE(mailbox::parse("a@" + std::string(64, 'b') + ".c").has_value());
    }

    TEST_CASE("parse: reads lists, defaults the sender and removes doubles from the envelope") {
        const auto mail = mail_payload::parse(
            R"({"to": ["b@x.test", "C <c@x.test>"], "cc": "d@x.test",
                "bcc": ["b@x.test", "e@x.test"], "reply_to": "r@x.test",
                "subject": "s", "html": "<p>"})",
            "Default <a@x.test>");
        REQUIRE(mail.has_value());
        CHECK(mail->from->address == "a@x.test");
        CHECK(mail->recipients() ==
              std::vector<std::string>{"b@x.test", "c@x.test", "d@x.test", "e@x.test"});
    }

    TEST_CASE("parse: refuses CR, LF and NUL in every field that becomes a line") {
        for (const std::string bad :
             {R"("b@x.test\r\nbcc: c@x.test")", R"("b@x.test\nX: y")", R"("b@x.test\rX: y")",
              R"("b@x.test\u0000")", R"("N\r\nX: y <b@x.test>")"}) {
            for (const std::string name : {"to", "cc", "bcc", "from", "reply_to", "subject"}) {
                CAPTURE(name);
                CAPTURE(bad);
                CHECK_FALSE(accepted(name, bad));
            }
        }
        for (const std::string headers :
             {R"({"X-A": "b\r\nBcc: c@x.test"})", R"({"X-A": "b\nc"})", R"({"X-A": "b\u0000c"})",
              R"({"X-A\r\nBcc": "c"})", R"({"X A": "c"})", R"({"X:": "c"})", R"({"": "c"})",
              R"({"Ü": "c"})"}) {
            CAPTURE(headers);
            CHECK_FALSE(accepted("headers", headers));
        }
    }

    TEST_CASE("parse: refuses headers that other fields make or that forge the path") {
        for (const std::string name :
             {"From", "to", "CC", "Bcc", "Sender", "Reply-To", "Subject", "Date", "Message-ID",
              "MIME-Version", "Content-Type", "content-anything", "Return-Path", "Received",
              "Resent-To", "DKIM-Signature"}) {
            CAPTURE(name);
            CHECK_FALSE(accepted("headers", "{\"" + name + "\": \"x\"}"));
        }
        CHECK(accepted("headers", R"({"List-Unsubscribe": "<https://x.test/u>", "X-Ü": "x"})") ==
              false);
        CHECK(accepted("headers", R"({"List-Unsubscribe": "<https://x.test/u>"})"));
    }

    TEST_CASE("parse: says everything that is missing, and no content") {
        const auto mail = mail_payload::parse(R"({"to": ["canary"], "text": 5})", "");
        REQUIRE(mail.has_error());
        CHECK(mail.error().message ==
              "payload.to: expected a mail address; "
              "payload.subject: expected a string, got nothing; "
              "payload.text: expected a string, got a number");
        const auto empty = mail_payload::parse(R"({"subject": "s"})", "");
        REQUIRE(empty.has_error());
        CHECK(empty.error().message ==
              "payload.from: expected a mail address, got nothing, and the options name no sender; "
              "payload.to: expected 1 to 100 recipients, got 0; "
              "payload.text: expected text, html or both, got neither");
    }

    TEST_CASE("parse: caps the number of recipients") {
        std::string list{"["};
        for (int i = 0; i < 101; ++i) {
            list += (i == 0 ? "\"b" : ",\"b") + std::to_string(i) + "@x.test\"";
        }
        CHECK_FALSE(accepted("to", list + "]"));
    }
}
