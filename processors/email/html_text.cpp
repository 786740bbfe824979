#include "processors/email/html_text.hpp"

#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace libqueue::processors::email {

namespace {

constexpr std::array<std::string_view, 18> blocks{
    "p",  "div", "table", "tr",     "ul",     "ol",      "h1",      "h2",         "h3",
    "h4", "h5",  "h6",    "header", "footer", "section", "article", "blockquote", "pre"};

bool is_block(std::string_view name) {
    return std::find(blocks.begin(), blocks.end(), name) != blocks.end();
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) {
        out += static_cast<char>(byte);
    };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0U | (code >> 6U));
        put(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        put(0xE0U | (code >> 12U));
        put(0x80U | ((code >> 6U) & 0x3FU));
        put(0x80U | (code & 0x3FU));
    } else {
        put(0xF0U | (code >> 18U));
        put(0x80U | ((code >> 12U) & 0x3FU));
        put(0x80U | ((code >> 6U) & 0x3FU));
        put(0x80U | (code & 0x3FU));
    }
}

/// Of `&name;` without the ends; empty for one we do not know.
std::optional<std::string> entity(std::string_view name) {
    using pair = std::pair<std::string_view, std::string_view>;
    constexpr std::array<pair, 12> named{pair{"amp", "&"}, {"lt", "<"},     {"gt", ">"},
                                         {"quot", "\""},   {"apos", "'"},   {"nbsp", " "},
                                         {"euro", "€"},    {"ndash", "–"},  {"mdash", "—"},
                                         {"hellip", "…"},  {"middot", "·"}, {"copy", "©"}};
    for (const auto& [key, text] : named) {
        if (key == name) {
            return std::string{text};
        }
    }
    if (!name.starts_with('#') || name.size() < 2) {
        return std::nullopt;
    }
    const bool hex = name[1] == 'x' || name[1] == 'X';
    const auto digits = name.substr(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto* end = digits.data() + digits.size();
    const auto [rest, failed] = std::from_chars(digits.data(), end, code, hex ? 16 : 10);
    const bool character = code >= 0x20 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (digits.empty() || failed != std::errc{} || rest != end || !character) {
        return std::nullopt;
    }
    std::string out;
    append_utf8(out, code);
    return out;
}

class converter {
   public:
    explicit converter(std::string_view html) : left_{html} {}

    std::string run() {
        while (!left_.empty()) {
            if (left_.front() == '<') {
                tag();
            } else if (left_.front() == '&') {
                reference();
            } else {
                character(left_.front());
                left_.remove_prefix(1);
            }
        }
        while (out_.ends_with('\n') || out_.ends_with(' ')) {
            out_.pop_back();
        }
        return out_.empty() ? out_ : out_ + "\n";
    }

   private:
    void character(char c) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            blank_ = true;
            return;
        }
        if (blank_ && !out_.empty() && !out_.ends_with('\n') && !out_.ends_with(' ')) {
            out_ += ' ';
        }
        blank_ = false;
        out_ += c;
    }

    void reference() {
        const auto end = left_.substr(0, 12).find(';');
        const auto text =
            end == std::string_view::npos ? std::nullopt : entity(left_.substr(1, end - 1));
        if (!text) {
            character('&');
            left_.remove_prefix(1);
            return;
        }
        for (const char c : *text) {
            character(c);
        }
        left_.remove_prefix(end + 1);
    }

    /// Ends the line; with two, leaves an empty one.
    void line(int ends) {
        blank_ = false;
        while (out_.ends_with(' ')) {
            out_.pop_back();
        }
        if (out_.empty()) {
            return;
        }
        int have = 0;
        for (auto at = out_.size(); at > 0 && out_[at - 1] == '\n'; --at) {
            ++have;
        }
        for (; have < ends; ++have) {
            out_ += '\n';
        }
    }

    void skip_to(std::string_view end) {
        const auto at = std::search(left_.begin(), left_.end(), end.begin(), end.end(),
                                    [](char one, char other) { return lower(one) == other; });
        const auto skipped = static_cast<std::size_t>(at - left_.begin());
        left_.remove_prefix(std::min(left_.size(), skipped + end.size()));
    }

    static std::string attribute(std::string_view tag, std::string_view name) {
        const auto wanted = " " + std::string{name} + "=";
        const auto at = to_lower(tag).find(wanted);
        if (at == std::string::npos) {
            return {};
        }
        auto value = tag.substr(at + wanted.size());
        if (value.empty() || (value.front() != '"' && value.front() != '\'')) {
            return std::string{value.substr(0, value.find(' '))};
        }
        const char quote = value.front();
        value.remove_prefix(1);
        return std::string{value.substr(0, value.find(quote))};
    }

    /// From `<` to its `>`; a `>` within quotes does not end it.
    std::string_view take_tag() {
        char quote = '\0';
        std::size_t at = 1;
        for (; at < left_.size(); ++at) {
            const char c = left_[at];
            if (quote != '\0') {
                quote = c == quote ? '\0' : quote;
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '>') {
                break;
            }
        }
        const auto inside = left_.substr(1, at - 1);
        left_.remove_prefix(std::min(at + 1, left_.size()));
        return inside;
    }

    void tag() {
        if (left_.starts_with("<!--")) {
            skip_to("-->");
            return;
        }
        const auto inside = take_tag();
        const bool closing = inside.starts_with('/');
        const auto rest = inside.substr(closing ? 1 : 0);
        const auto name = to_lower(rest.substr(0, rest.find_first_of(" \t\r\n/")));
        if (!closing &&
            (name == "style" || name == "script" || name == "head" || name == "title")) {
            skip_to("</" + name + ">");
        } else if (name == "br") {
            out_ += out_.empty() ? "" : "\n";
            blank_ = false;
        } else if (name == "li" && !closing) {
            line(1);
            out_ += "- ";
        } else if (name == "a") {
            link(inside, closing);
        } else if (name == "td" || name == "th") {
            blank_ = true;
        } else if (is_block(name)) {
            line(name == "tr" || name == "div" ? 1 : 2);
        }
    }

    void link(std::string_view inside, bool closing) {
        if (!closing) {
            target_ = attribute(inside, "href");
            link_begin_ = out_.size();
            return;
        }
        const auto url = decoded(target_);
        target_.clear();
        const bool worth = url.starts_with("http://") || url.starts_with("https://");
        const auto shown = std::string_view{out_}.substr(std::min(link_begin_, out_.size()));
        if (worth && shown.find(url) == std::string_view::npos) {
            out_ += " (" + url + ")";
        }
    }

    static std::string decoded(std::string_view text) {
        std::string out;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const auto end =
                text[at] == '&' ? text.substr(at, 12).find(';') : std::string_view::npos;
            const auto found =
                end == std::string_view::npos ? std::nullopt : entity(text.substr(at + 1, end - 1));
            if (found) {
                out += *found;
                at += end;
            } else {
                out += text[at];
            }
        }
        return out;
    }

    std::string_view left_;
    std::string out_;
    std::string target_;
    std::size_t link_begin_{0};
    bool blank_{false};
};

}  // namespace

std::string text_of_html(std::string_view html) {
    return converter{html}.run();
}

}  // namespace libqueue::processors::email
