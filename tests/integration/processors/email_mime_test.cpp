#include "processors/email/message.hpp"
#include "processors/support/crypto.hpp"
#include "support/process.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using namespace libqueue::processors;
using namespace libqueue::processors::email;
using namespace std::chrono_literals;

/// Python's email package reads one base64 message per line: a parser that is not ours.
constexpr const char* reader = R"(
import base64, email, email.policy, hashlib, json, sys
def files(m):
    for p in m.walk():
        if p.is_multipart(): continue
        name = p.get_filename()
        if name is None: continue
        yield [name, p.get_content_type(), p.get_content_disposition(), p.get('content-id') or '',
               hashlib.sha256(p.get_payload(decode=True)).hexdigest()]
def body(m, kind):
    p = m.get_body((kind,))
    return p and p.get_content().replace('\r\n', '\n')
for line in sys.stdin:
    raw = base64.b64decode(line)
    m = email.message_from_bytes(raw, policy=email.policy.default)
    print(json.dumps({
        'type': m.get_content_type(), 'files': sorted(files(m)),
        'text': body(m, 'plain'), 'html': body(m, 'html'),
        'names': [k.lower() for k in m.keys()], 'subject': str(m['subject']),
        'to': [a.addr_spec for a in m['to'].addresses],
        'defects': [str(d) for p in m.walk() for d in p.defects]}))
)";

std::vector<json::value> read_all(const std::vector<std::string>& messages) {
    test::process_options python{"python3", {"-c", reader}};
    for (const auto& message : messages) {
        python.stdin_text += base64_encode(message) + "\n";
    }
    const auto result = test::run_command(python);
    REQUIRE_MESSAGE(result.code == 0, result.errors);
    std::vector<json::value> all;
    for (std::size_t at = 0; at < result.output.size();) {
        const auto end = result.output.find('\n', at);
        all.push_back(json::parse(result.output.substr(at, end - at)));
        at = end + 1;
    }
    REQUIRE(all.size() == messages.size());
    return all;
}

std::string build(const mail_payload& mail) {
    return message_text(mail, "<id@x.test>", libqueue::time_point{} + 1'700'000'000s);
}

mail_payload simple() {
    return mail_payload::parse(R"({"to": "b@x.test", "subject": "s", "text": "t"})", "a@x.test")
        .value();
}

/// What somewhere ends a line, or might.
std::vector<std::string> line_ends() {
    return {
        "\r\n", "\n",   "\r",           "\n\r",         "\r\n ",  "\r\n\t", "\v",
        "\f",   "\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "%0d%0a", "\\r\\n", std::string{"\0", 1}};
}

/// As Python gives a body back.
std::string lines(std::string text) {
    return text.empty() || text.back() != '\n' ? text + "\n" : text;
}

class shape_maker {
   public:
    mail_payload make() {
        auto mail = simple();
        const bool has_html = chance(70);
        const bool has_text = !has_html || chance(70);
        mail.text.reset();
        if (has_text) {
            mail.text = words();
        }
        if (has_html) {
            mail.html = "<p>" + words() + "</p>";
        }
        for (int i = number(0, 4); i > 0; --i) {
            attachment file{name(), chance(50) ? "application/pdf" : "image/png", bytes()};
            if (chance(40)) {
                file.inline_id = "id" + std::to_string(i);
            }
            mail.attachments.push_back(std::move(file));
        }
        return mail;
    }

   private:
    int number(int least, int most) { return std::uniform_int_distribution{least, most}(engine_); }
    bool chance(int percent) { return number(1, 100) <= percent; }
    std::string words() {
        std::string text;
        for (int i = number(1, 30); i > 0; --i) {
            constexpr std::array all{"plain ",   "=?utf-8?b?eA==?= ", "Grüße ", "--=_0 ",
                                     ".\n",      "a=b\t \n",          "日本語", "x ",
                                     "From me\n"};
            text += all.at(static_cast<std::size_t>(number(0, 8)));
        }
        return text;
    }
    std::string name() {
        constexpr std::array all{
            "a.pdf",         "Grüße aus Wien.pdf", "with \"quotes\".png",
            "semi;colon=1",  "50% off'*.pdf",      "日本語の長い名前のファイル.pdf",
            "=?utf-8?q?x?=", "back&amp.txt"};
        auto chosen = std::string{all.at(static_cast<std::size_t>(number(0, 7)))};
        return chance(15) ? std::string(static_cast<std::size_t>(number(60, 200)), 'n') + chosen
                          : chosen;
    }
    std::string bytes() {
        std::string all(static_cast<std::size_t>(number(0, 400)), '\0');
        std::generate(all.begin(), all.end(),
                      [this] { return static_cast<char>(number(-128, 127)); });
        return all;
    }

    std::mt19937 engine_{20'261'121};
};

json::array expected_files(const mail_payload& mail) {
    std::vector<std::vector<std::string>> all;
    for (const auto& file : mail.attachments) {
        const bool is_inline = mail.html && !file.inline_id.empty();
        all.push_back({file.name, file.type, is_inline ? "inline" : "attachment",
                       is_inline ? "<" + file.inline_id + ">" : "", sha256_hex(file.content)});
    }
    std::sort(all.begin(), all.end());
    return json::value_from(all).get_array();
}

std::string expected_type(const mail_payload& mail) {
    const auto is_inline = [&mail](const attachment& file) {
        return mail.html.has_value() && !file.inline_id.empty();
    };
    const auto shown = std::count_if(mail.attachments.begin(), mail.attachments.end(), is_inline);
    if (shown < static_cast<std::ptrdiff_t>(mail.attachments.size())) {
        return "multipart/mixed";
    }
    if (mail.text && mail.html) {
        return "multipart/alternative";
    }
    if (shown > 0) {
        return "multipart/related";
    }
    return mail.text ? "text/plain" : "text/html";
}

}  // namespace

TEST_SUITE("processors: mail parts") {
    TEST_CASE("500 shapes read back as they were meant by a parser that is not ours") {
        shape_maker maker;
        std::vector<mail_payload> mails;
        std::vector<std::string> messages;
        for (int i = 0; i < 500; ++i) {
            mails.push_back(maker.make());
            messages.push_back(build(mails.back()));
        }
        const auto read = read_all(messages);
        for (std::size_t i = 0; i < read.size(); ++i) {
            CAPTURE(messages[i]);
            const auto& mail = mails[i];
            REQUIRE(read[i].at("defects").as_array().empty());
            REQUIRE(read[i].at("type").as_string() == expected_type(mail));
            REQUIRE(read[i].at("files").as_array() == expected_files(mail));
            if (mail.text) {
                REQUIRE(json::value_to<std::string>(read[i].at("text")) == lines(*mail.text));
            }
            if (mail.html) {
                REQUIRE(json::value_to<std::string>(read[i].at("html")) == lines(*mail.html));
            }
            REQUIRE(build(mail) == messages[i]);  // every attempt sends the same bytes
        }
    }

    TEST_CASE("1,344 tries to add a header or a recipient add none") {
        std::vector<std::string> poisons;
        for (const std::string& line : line_ends()) {
            for (const std::string what :
                 {"Bcc: evil@x.test", "To: evil@x.test", "\r\n<p>body", "X-Evil: 1",
                  "Content-Type: text/html", "Subject: evil", "From: evil@x.test", ".",
                  "RCPT TO:"
                  "<evil@x.test>",
                  "=?utf-8?q?=0d=0aBcc:_evil@x.test?=", ", evil@x.test", "> <evil@x.test"}) {
                poisons.push_back(line + what);
            }
        }
        const std::set<std::string> ours{"date",
                                         "from",
                                         "message-id",
                                         "to",
                                         "reply-to",
                                         "cc",
                                         "subject",
                                         "auto-submitted",
                                         "mime-version",
                                         "content-type",
                                         "content-transfer-encoding",
                                         "x-given"};
        std::vector<std::string> messages;
        int tried = 0;
        for (const auto& poison : poisons) {
            for (const std::string field :
                 {"to", "cc", "from", "reply_to", "subject", "name", "header", "file"}) {
                ++tried;
                json::object payload{{"to", "b@x.test"}, {"subject", "s"}, {"text", "t"}};
                if (field == "name") {
                    payload["to"] = "N" + poison + " <b@x.test>";
                } else if (field == "header") {
                    payload["headers"] = json::object{{"X-Given", "v" + poison}};
                } else if (field == "file") {
                    payload["attachments"] = json::array{json::object{
                        {"name", "f" + poison}, {"type", "text/csv"}, {"content", "eA=="}}};
                } else {
                    payload[field] = (field == "subject" ? "s" : "b@x.test") + poison;
                }
                const auto mail = mail_payload::parse(json::serialize(payload), "a@x.test");
                if (mail) {
                    // `Name <a@b.c>` is the field's own syntax; two of them are not.
                    REQUIRE(mail->recipients().size() == (field == "cc" ? 2 : 1));
                    messages.push_back(build(*mail));
                }
            }
        }
        CHECK(tried == 1'344);
        REQUIRE(messages.size() > 100);
        const auto read = read_all(messages);
        for (std::size_t i = 0; i < read.size(); ++i) {
            CAPTURE(messages[i]);
            REQUIRE(read[i].at("defects").as_array().empty());
            std::set<std::string> names;
            for (const auto& name : read[i].at("names").as_array()) {
                const auto lower = json::value_to<std::string>(name);
                REQUIRE(ours.contains(lower));
                REQUIRE(names.insert(lower).second);
            }
            REQUIRE(read[i].at("to").as_array().size() == 1);
        }
    }

    TEST_CASE("one click unsubscribing is announced as RFC 8058 has it") {
        auto mail = simple();
        CHECK(build(mail).find("List-Unsubscribe") == std::string::npos);
        mail.unsubscribe_url = "https://x.test/u?t=v1.email.news";
        const auto message = build(mail);
        CHECK(message.find("\r\nList-Unsubscribe: <https://x.test/u?t=v1.email.news>\r\n") !=
              std::string::npos);
        CHECK(message.find("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") !=
              std::string::npos);
    }

    TEST_CASE("attachments that do not fit are refused by position, without their content") {
        const auto fault = [](const std::string& files) {
            const auto mail = mail_payload::parse(
                R"({"to": "b@x.test", "subject": "s", "text": "t", "attachments": )" + files + "}",
                "a@x.test");
            return mail ? std::string{"accepted"} : mail.error().message;
        };
        const std::string good =
            R"({"name": "a.pdf", "type": "application/pdf", "content": "eA=="})";
        CHECK(fault("[" + good + "]") == "accepted");
        CHECK(
            fault("[" + good + R"(, {"name": "../canary", "type": "x/y", "content": ""}])") ==
            "payload.attachments[1].name: expected a file name of 1 to 255 bytes, without a path");
        for (const std::string bad :
             {R"({"name": "a", "type": "multipart/mixed", "content": ""})",
              R"({"name": "a", "type": "message/rfc822", "content": ""})",
              R"({"name": "a", "type": "pdf", "content": ""})",
              R"({"name": "a", "type": "a/b\r\nX: y", "content": ""})",
              R"({"name": "a", "type": "a/b", "content": "not base64!"})",
              R"({"name": "a", "type": "a/b"})", R"("text")",
              R"({"name": "a", "type": "a/b", "content": "", "inline_id": "a>b"})"}) {
            CAPTURE(bad);
            CHECK(fault("[" + bad + "]") != "accepted");
        }
        CHECK(fault(R"([{"name": "a", "type": "a/b", "content": "", "inline_id": "i"},
                        {"name": "b", "type": "a/b", "content": "", "inline_id": "i"}])") ==
              "payload.attachments[1].inline_id: is there twice");
        std::string many{"[" + good};
        for (std::size_t i = 0; i < most_attachments; ++i) {
            many += "," + good;
        }
        CHECK(fault(many + "]") == "payload.attachments: expected an array of at most 20 objects");
    }
}
