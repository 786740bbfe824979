#include "processors/email/formats.hpp"
#include "processors/email/html_text.hpp"
#include "processors/email/mail_template.hpp"
#include "processors/email/rendering.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace libqueue::processors::email;

std::string filled(const std::string& text, const std::string& variables, rendering how = {}) {
    const auto made = render(text, variables, how);
    return made ? *made : "fault: " + made.error().message;
}

std::string plain(const std::string& text, const std::string& variables) {
    rendering how;
    how.escape = rendering::escaping::none;
    return filled(text, variables, how);
}

bool refused(const std::string& text, const std::string& variables = "{}") {
    return render(text, variables, rendering{}).has_error();
}

std::string json_of(const std::string& text) {
    return boost::json::serialize(boost::json::string_view{text});
}

}  // namespace

TEST_SUITE("processors: mail templates") {
    TEST_CASE("variables are escaped as HTML unless the template says otherwise") {
        const std::string variables = R"({"x": "<b>&\"'", "user": {"name": "Ann"}, "n": 12})";
        CHECK(filled("{{x}}", variables) == "&lt;b&gt;&amp;&quot;&apos;");
        CHECK(filled("{{{x}}}{{&x}}", variables) == "<b>&\"'<b>&\"'");
        CHECK(plain("{{x}}", variables) == "<b>&\"'");
        CHECK(filled("{{user.name}} {{ n }}{{! nothing }}", variables) == "Ann 12");
        CHECK(filled("{{#user}}{{name}} {{n}}{{/user}}", variables) == "Ann 12");
    }

    TEST_CASE("a missing variable is an error with its name, and no value is in it") {
        CHECK(filled("{{user.nick}}", R"({"user": {"name": "canary"}})") ==
              "fault: template: missing variable user.nick");
        CHECK(filled("{{x}}", R"({"x": null})") == "fault: template: missing variable x");
        CHECK(filled("{{#eq x 1}}{{/eq}}", "{}") == "fault: template: missing variable x");
        CHECK(filled("{{formatDate at}}", R"({"at": "canary"})") ==
              "fault: template: formatDate at: the value, the style or the zone does not fit");
        CHECK(filled("{{x}}", R"({"x": {"y": "canary"}})") ==
              "fault: template: x: expected a text or a number, got a list or an object");
        CHECK(filled("{{a}}", R"({"x": 1)") == "fault: variables: expected an object");
    }

    TEST_CASE("sections: lists, truth, else, and what counts as nothing") {
        const std::string variables =
            R"({"list": [{"n": 1}, {"n": 2}], "none": [], "yes": true, "no": false, "zero": 0,
                "empty": "", "words": ["a", "b"], "n": 9})";
        CHECK(filled("{{#list}}{{n}},{{/list}}", variables) == "1,2,");
        CHECK(filled("{{#each words}}{{.}}{{n}};{{/each}}", variables) == "a9;b9;");
        CHECK(filled("{{#each none}}x{{else}}nobody{{/each}}", variables) == "nobody");
        for (const std::string nothing : {"none", "no", "zero", "empty", "missing"}) {
            CAPTURE(nothing);
            CHECK(filled("{{#if " + nothing + "}}a{{else}}b{{/if}}", variables) == "b");
            CHECK(filled("{{^" + nothing + "}}b{{/" + nothing + "}}", variables) == "b");
            CHECK(filled("{{#unless " + nothing + "}}b{{else}}a{{/unless}}", variables) == "b");
        }
        CHECK(filled("{{#if yes}}{{n}}{{#if no}}x{{else}}!{{/if}}{{/if}}", variables) == "9!");
        CHECK(filled("{{#if words}}{{#each words}}{{.}}{{/each}}{{/if}}", variables) == "ab");
    }

    TEST_CASE("comparisons are of numbers when both are, else of text") {
        const auto is = [](const std::string& test) {
            return filled("{{#" + test + "}}y{{else}}n{{/" + test.substr(0, 2) + "}}",
                          R"({"a": 9, "b": 10, "s": "x", "t": "9", "yes": true})") == "y";
        };
        CHECK(is("lt a b"));
        CHECK_FALSE(is("gt a b"));
        CHECK(is("le a 9"));
        CHECK(is("ge 10.0 b"));
        CHECK(is("eq a t"));
        CHECK(is("ne a b"));
        CHECK(is("eq s \"x\""));
        CHECK(is("gt s '10'"));
        CHECK(is("eq yes \"true\""));
        CHECK_FALSE(is("eq s 'y'"));
    }

    TEST_CASE("dates and times: as the language has them, in the zone that was asked for") {
        CHECK(format_date("2026-11-21T23:30:00Z", "long", "en", "Europe/Vienna") ==
              "22 November 2026");
        CHECK(format_date("2026-11-21T23:30:00Z", "long", "en-US", "America/New_York") ==
              "November 21, 2026");
        CHECK(format_date("2026-03-01", "long", "de-AT", "Pacific/Auckland") == "1. März 2026");
        CHECK(format_date("2026-03-01", "short", "de", "UTC") == "01.03.2026");
        CHECK(format_date("2026-03-01", "short", "en-GB", "UTC") == "01/03/2026");
        CHECK(format_date("2026-03-01", "short", "default", "UTC") == "2026-03-01");
        CHECK(format_date("1700000000", "iso", "fr", "UTC") == "2023-11-14");
        // The clock goes forward in Vienna on 29 March 2026 at 01:00 UTC.
        CHECK(format_time("2026-03-29T00:59:00Z", "de", "Europe/Vienna") == "01:59");
        CHECK(format_time("2026-03-29T01:00:00Z", "de", "Europe/Vienna") == "03:00");
        CHECK(format_time("2026-07-01T20:05:00+02:00", "en-US", "Europe/Vienna") == "8:05 PM");
        CHECK(format_time("2026-07-01T00:05:00-0430", "en-US", "UTC") == "4:35 AM");
        for (const std::string bad : {"2026-02-30", "2026-1-01", "x", "", "2026-01-01T24:00",
                                      "2026-01-01T10:00:00+99:00", "-1", "99999999999999"}) {
            CAPTURE(bad);
            CHECK_FALSE(format_date(bad, "long", "en", "UTC").has_value());
        }
        CHECK_FALSE(format_date("2026-01-01T10:00Z", "long", "en", "Europe/Nowhere").has_value());
        CHECK_FALSE(format_date("2026-01-01", "tall", "en", "UTC").has_value());
        CHECK_FALSE(format_time("2026-01-01", "en", "UTC").has_value());
    }

    TEST_CASE("money: smallest units, as many digits as the currency has") {
        CHECK(format_currency("123450", "EUR", "en") == "€1,234.50");
        CHECK(format_currency("123450", "EUR", "de-AT") == "1.234,50 €");
        CHECK(format_currency("5", "USD", "default") == "$0.05");
        CHECK(format_currency("-100", "GBP", "en") == "-£1.00");
        CHECK(format_currency("1234", "JPY", "en") == "¥1,234");
        CHECK(format_currency("1234567", "KWD", "en") == "KWD 1,234.567");
        CHECK(format_currency("0", "CHF", "de") == "0,00 CHF");
        CHECK(format_currency("999999999999999999", "EUR", "en") == "€9,999,999,999,999,999.99");
        for (const std::string bad : {"", "-", "1.5", "1e3", "x", "1234567890123456789"}) {
            CHECK_FALSE(format_currency(bad, "EUR", "en").has_value());
        }
        CHECK_FALSE(format_currency("1", "eur", "en").has_value());
        CHECK(plain("{{formatCurrency cents \"EUR\"}} {{formatCurrency cents c}}",
                    R"({"cents": 990, "c": "JPY"})") == "€9.90 ¥990");
    }

    TEST_CASE("broken templates are refused, with the place") {
        for (const std::string bad :
             {"{{x", "{{{x}}", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{else}}", "{{}}", "{{>part}}",
              "{{=<% %>=}}", "{{a b}}", "{{#foo a b}}{{/foo}}", "{{\"x\"}}", "{{a.}}", "{{.a}}",
              "{{a..b}}", "{{a;b}}", "{{#if}}{{/if}}{{#if a b}}{{/if}}", "{{formatDate}}x{{(a)}}",
              "{{#if \"a}}{{/if}}"}) {
            CAPTURE(bad);
            CHECK(refused(bad, R"({"a": 1})"));
        }
        CHECK(filled("ab{{>p}}", "{}").find("at byte 2") != std::string::npos);
        std::string deep;
        for (int i = 0; i < 17; ++i) {
            deep += "{{#a}}";
        }
        CHECK(refused(deep));
    }

    TEST_CASE("what variables hold is text, whatever it looks like") {
        const std::vector<std::string> corpus{"{{x}}",
                                              "{{{secret}}}",
                                              "{{#secret}}{{.}}{{/secret}}",
                                              "{{>secret}}",
                                              "{{=| |=}}",
                                              "|secret|",
                                              "}}{{secret}}{{",
                                              "{{/if}}{{secret}}",
                                              "{{else}}",
                                              "{{&secret}}",
                                              "{{v0}}",
                                              "{{s1}}",
                                              "{{formatDate secret}}",
                                              "{{! x",
                                              "{%secret%}",
                                              "${secret}",
                                              "#{secret}",
                                              "<%= secret %>",
                                              "{{constructor.constructor('return 1')()}}",
                                              "{{__proto__}}",
                                              "{{secret",
                                              "secret}}",
                                              "\\{{secret}}",
                                              "{{\n secret }}",
                                              "{{lookup this 'secret'}}",
                                              "{{#each this}}{{.}}{{/each}}"};
        for (const auto& poison : corpus) {
            CAPTURE(poison);
            const auto variables = R"({"x": )" + json_of(poison) + R"(, "list": [)" +
                                   json_of(poison) + R"(], "secret": "S3CR3T"})";
            CHECK(plain("{{x}}", variables) == poison);
            CHECK(plain("{{#each list}}{{.}}{{/each}}{{#if x}}{{x}}{{/if}}", variables) ==
                  poison + poison);
            CHECK(filled("{{{x}}}", variables) == poison);
            CHECK(filled("a{{x}}b", variables).find("S3CR3T") == std::string::npos);
        }
    }

    TEST_CASE("a template cannot use up memory or time") {
        rendering how;
        how.most_bytes = 10'000;
        how.most_steps = 1'000;
        const std::string list = "[" + [] {
            std::string items{"0"};
            for (int i = 0; i < 999; ++i) {
                items += ",1";
            }
            return items;
        }() + "]";
        const auto fault = [&how](const std::string& text, const std::string& variables) {
            return render(text, variables, how).has_error();
        };
        CHECK(fault("{{#l}}" + std::string(100, 'x') + "{{/l}}", R"({"l": )" + list + "}"));
        CHECK(fault("{{#l}}{{#l}}{{/l}}{{/l}}", R"({"l": )" + list + "}"));
        CHECK(fault("{{#l}}{{x}}{{/l}}", R"({"l": [1,2,3,4,5,6,7,8,9,10,11,12], "x": ")" +
                                             std::string(1'000, 'y') + "\"}"));
        CHECK(fault(std::string(10'001, 'x'), "{}"));
        CHECK_FALSE(fault("{{#l}}x{{/l}}", R"({"l": [1, 2, 3]})"));
    }

    TEST_CASE("20,000 random templates and texts end in a text or in an error") {
        constexpr std::array pieces{
            "{{",        "}}",        "{{{",      "}}}",   "#",          "^",   "/",
            "x",         "each ",     "if ",      "else",  "list",       " ",   "\n",
            "{{#list}}", "{{/list}}", "{{else}}", "{{x}}", "eq x 1",     "\"",  "'",
            ".",         "&",         "!",        ">",     "=",          "<p>", "</p",
            "<a href=",  "&amp",      ";",        "<!--",  "formatDate "};
        std::mt19937 engine{20'261'121};
        std::uniform_int_distribution<std::size_t> piece{0, pieces.size() - 1};
        std::uniform_int_distribution<int> length{1, 24};
        int rendered = 0;
        for (int i = 0; i < 20'000; ++i) {
            std::string text;
            for (int k = length(engine); k > 0; --k) {
                text += pieces.at(piece(engine));
            }
            const auto made = render(text, R"({"x": "a", "list": [{"x": 1}, 2]})", rendering{});
            rendered += made ? 1 : 0;
            REQUIRE((made || made.error().message.starts_with("template")));
            REQUIRE(text_of_html(text).size() <= 4 * text.size() + 1);
        }
        CHECK(rendered > 1'000);
        CHECK(rendered < 19'000);
    }

    TEST_CASE("HTML becomes text that can be read") {
        CHECK(text_of_html("<html><head><title>T</title><style>p{}</style></head><body><h1>Hello"
                           "</h1><p>one\n two&nbsp;&amp; <b>three</b><br>four</p><ul><li>a</li>"
                           "<li>b</li></ul><a href=\"https://x.test/?a=1&amp;b=2\">here</a>"
                           "<!-- <p>no</p> --><script>alert(1)</script></body></html>") ==
              "Hello\n\none two & three\nfour\n\n- a\n- b\n\nhere (https://x.test/?a=1&b=2)\n");
        CHECK(text_of_html("<a href='javascript:x'>y</a> &lt;b&gt; &#8364;&#x20AC; &unknown;") ==
              "y <b> €€ &unknown;\n");
        CHECK(text_of_html("<p title=\"a>b\">c</p") == "c\n");
        CHECK(text_of_html("<style>never closed").empty());
        CHECK(text_of_html("").empty());
    }

    TEST_CASE("a mail's text is made from its HTML when the template has none") {
        mail_template source;
        source.locale = "de";
        source.subject = "{{name}} & Co";
        source.html = "<p>{{name}} {{formatCurrency n \"EUR\"}} {{unsubscribe_url}}</p>";
        template_request request{"x"};
        request.locale = "de-AT";
        request.variables = R"({"name": "<Zoë>", "n": 100000})";
        const auto made = fill_in(source, request, "https://x.test/u");
        REQUIRE_MESSAGE(made.has_value(), made.error().message);
        CHECK(made->subject == "<Zoë> & Co");
        CHECK(*made->html == "<p>&lt;Zoë&gt; 1.000,00 € https://x.test/u</p>");
        CHECK(made->text == "<Zoë> 1.000,00 € https://x.test/u\n");
        source.subject = "{{nick}}";
        CHECK(fill_in(source, request).error().message ==
              "subject of the template: missing variable nick");
    }
}
