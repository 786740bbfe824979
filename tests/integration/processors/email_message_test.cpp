#include "processors/email/encoded_text.hpp"
#include "processors/email/message.hpp"
#include "support/process.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace {

namespace json = boost::json;
using namespace libqueue::processors::email;
using namespace std::chrono_literals;

/// The message as Python's email package reads it: a parser not ours.
json::value read_by_python(const std::string& message) {
    test::process_options python{
        "python3",
        {"-c",
         "import email,email.policy,json,sys\n"
         "m=email.message_from_bytes(sys.stdin.buffer.read(),policy=email.policy.default)\n"
         "body=lambda kind:(lambda p:p and p.get_content())(m.get_body((kind,)))\n"
         "print(json.dumps({'headers':[[k,str(v)] for k,v in m.items()],'text':body('plain'),"
         "'html':body('html'),'type':m.get_content_type(),'defects':"
         "[str(d) for p in m.walk() for d in p.defects]+"
         "[str(d) for v in m.values() for d in v.defects]}))"}};
    python.stdin_text = message;
    const auto result = test::run_command(python);
    REQUIRE_MESSAGE(result.code == 0, result.errors);
    return json::parse(result.output);
}

std::string header(const json::value& mail, std::string_view name) {
    for (const auto& pair : mail.at("headers").as_array()) {
        if (pair.at(0).as_string() == json::string_view{name.data(), name.size()}) {
            return json::value_to<std::string>(pair.at(1));
        }
    }
    return "(absent)";
}

std::string field(const json::value& mail, const char* name) {
    return json::value_to<std::string>(mail.at(name));
}

mail_payload simple() {
    return mail_payload::parse(R"({"to": "b@x.test", "subject": "s", "text": "t"})", "a@x.test")
        .value();
}

std::string build(const mail_payload& mail) {
    return message_text(mail, "<id@x.test>", libqueue::time_point{} + 1'700'000'000s);
}

/// Lines end in CRLF only and none is too long for RFC 5322.
void check_lines(const std::string& message) {
    std::size_t begin = 0;
    std::size_t longest = 0;
    while (begin < message.size()) {
        const auto end = message.find("\r\n", begin);
        REQUIRE(end != std::string::npos);
        const auto line = message.substr(begin, end - begin);
        CHECK(line.find_first_of("\r\n") == std::string::npos);
        longest = std::max(longest, line.size());
        begin = end + 2;
    }
    CHECK(longest <= 998);
}

}  // namespace

TEST_SUITE("processors: email message") {
    TEST_CASE("a whole message reads back as it was meant") {
        const auto mail = mail_payload::parse(
                              R"({"to": ["Zoë Müller <z@x.test>", "\"Lee, Ann\" <l@x.test>"],
                "cc": "c@x.test", "bcc": "hidden@x.test", "reply_to": "r@x.test",
                "from": "Tickets & Co. <t@x.test>",
                "subject": "Grüße 🎟 from the house", "text": "Hällo\n.\nFrom here\n",
                "html": "<p>Hällo</p>", "headers": {"List-Unsubscribe": "<https://x.test/u>"}})",
                              "")
                              .value();
        const auto message = build(mail);
        check_lines(message);
        const auto read = read_by_python(message);
        CHECK(read.at("defects").as_array().empty());
        CHECK(field(read, "type") == "multipart/alternative");
        CHECK(field(read, "text") == "Hällo\r\n.\r\nFrom here\r\n");
        CHECK(field(read, "html") == "<p>Hällo</p>\r\n");
        CHECK(header(read, "Subject") == "Grüße 🎟 from the house");
        CHECK(header(read, "From") == "\"Tickets & Co.\" <t@x.test>");
        CHECK(header(read, "To") == "Zoë Müller <z@x.test>, \"Lee, Ann\" <l@x.test>");
        CHECK(header(read, "Cc") == "c@x.test");
        CHECK(header(read, "Bcc") == "(absent)");
        CHECK(message.find("hidden@") == std::string::npos);
        CHECK(header(read, "Reply-To") == "r@x.test");
        CHECK(header(read, "Date") == "Tue, 14 Nov 2023 22:13:20 +0000");
        CHECK(header(read, "Message-ID") == "<id@x.test>");
        CHECK(header(read, "Auto-Submitted") == "auto-generated");
        CHECK(header(read, "List-Unsubscribe") == "<https://x.test/u>");
    }

    TEST_CASE("subjects of every shape survive") {
        std::string sweep;
        for (int i = 0; i < 120; ++i) {
            sweep += i % 3 == 0 ? "ü" : i % 3 == 1 ? "€" : "🎟";
        }
        for (const std::string& subject :
             {std::string{"plain"}, std::string{"=?UTF-8?B?Zm9v?="}, std::string(300, 'x'),
              std::string{"many words "} + std::string(40, 'w') + " " + std::string(60, 'v'), sweep,
              sweep.substr(2), sweep.substr(5), std::string{"a:b <c@d> \"q\" (p) ; , \\"},
              std::string{"tab\there"}, std::string{"two  blanks   kept"}}) {
            auto mail = simple();
            mail.subject = subject;
            const auto message = build(mail);
            check_lines(message);
            CHECK(header(read_by_python(message), "Subject") == subject);
        }
    }

    TEST_CASE("bodies of every shape survive") {
        std::string bytes;
        for (char c = ' '; c <= '~'; ++c) {
            bytes += c;
        }
        for (const std::string& text :
             {std::string{"one line"}, std::string{"\n\n\n"}, std::string{".\n..\n.x\n"},
              std::string(5000, 'x'), std::string(200, '='), bytes + bytes + bytes,
              std::string{"blank at end \nand tab\t\n"}, std::string{"ü"} + std::string(80, 'y'),
              std::string{"a\rb\r\nc\nd"}, std::string{"--=_boundary\n--\n"},
              std::string{"\x01\x02 control"}}) {
            auto mail = simple();
            mail.text = text;
            const auto message = build(mail);
            check_lines(message);
            CHECK(field(read_by_python(message), "text") == with_crlf(text));
        }
    }

    TEST_CASE("encoded words: at most 75 characters each, none splits a character") {
        std::string text;
        for (int i = 0; i < 60; ++i) {
            text += "ü€🎟";
        }
        for (std::size_t skip : {0U, 2U, 5U}) {
            std::string words = encoded_words(text.substr(skip)) + " ";
            while (!words.empty()) {
                const auto space = words.find(' ');
                CHECK(space <= 75);
                words.erase(0, space + 1);
            }
        }
        CHECK(encoded_words("plain") == "plain");
    }

    TEST_CASE("header_line: folds at blanks only, and unfolding gives the value back") {
        const std::string value = "w1 " + std::string(70, 'a') + " w2 " + std::string(100, 'b') +
                                  "  w3 " + std::string(20, 'c');
        auto line = header_line("X-Long", value);
        CHECK(line.find("\r\n ") != std::string::npos);
        for (auto at = line.find("\r\n "); at != std::string::npos; at = line.find("\r\n ")) {
            line.erase(at, 2);
        }
        CHECK(line == "X-Long: " + value + "\r\n");
        CHECK(header_line("X", "") == "X:\r\n");
    }

    TEST_CASE("message_id: stable over attempts, different per job, at the sender's domain") {
        const auto mail = simple();
        libqueue::job job;
        job.id = 9;
        const auto first = message_id(mail, libqueue::processors::run_view{job});
        CHECK(first.ends_with("@x.test>"));
        CHECK(first.size() == 1 + 32 + 8);
        job.attempt = 4;
        job.lease = 77;
        CHECK(message_id(mail, libqueue::processors::run_view{job}) == first);
        job.id = 10;
        CHECK(message_id(mail, libqueue::processors::run_view{job}) != first);
    }
}
