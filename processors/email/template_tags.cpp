#include "processors/email/template_tags.hpp"

#include <algorithm>
#include <array>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t deepest = 16;
constexpr std::size_t longest_tag = 512;
constexpr std::array<std::string_view, 3> aliases{"if", "unless", "each"};
constexpr std::array<std::string_view, 6> comparisons{"eq", "ne", "lt", "le", "gt", "ge"};
constexpr std::array<std::string_view, 3> formats{"formatDate", "formatTime", "formatCurrency"};

template <typename List>
bool contains(const List& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

template_error fault(std::size_t at, const std::string& what) {
    return template_error{"template, at byte " + std::to_string(at) + ": " + what};
}

std::string_view trimmed_tag(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_number(std::string_view text) {
    const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
    return !digits.empty() && digits.front() != '.' &&
           std::all_of(digits.begin(), digits.end(),
                       [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
           std::count(digits.begin(), digits.end(), '.') <= 1;
}

bool is_path(std::string_view text) {
    return text == "." || text == "this" ||
           (!text.empty() && text.front() != '.' && text.back() != '.' &&
            text.find("..") == std::string_view::npos &&
            std::all_of(text.begin(), text.end(), [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '_' || c == '-' || c == '.';
            }));
}

std::vector<tag_word> words_of(std::string_view text, std::size_t at) {
    std::vector<tag_word> words;
    text = trimmed_tag(text);
    while (!text.empty()) {
        if (text.front() == '"' || text.front() == '\'') {
            const auto end = text.find(text.front(), 1);
            if (end == std::string_view::npos) {
                throw fault(at, "a quoted text does not end");
            }
            words.emplace_back(std::string{text.substr(1, end - 1)}, true);
            text.remove_prefix(end + 1);
        } else {
            const auto word = text.substr(0, text.find_first_of(" \t\r\n"));
            if (!is_number(word) && !is_path(word)) {
                throw fault(at, "expected a name, a number or a quoted text");
            }
            words.emplace_back(std::string{word}, is_number(word));
            text.remove_prefix(word.size());
        }
        text = trimmed_tag(text);
    }
    if (words.empty()) {
        throw fault(at, "a tag is empty");
    }
    return words;
}

}  // namespace

template_source::template_source(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto begin = std::min(text.find("{{", at), text.size());
        out_ += text.substr(at, begin - at);
        if (begin == text.size()) {
            break;
        }
        const bool raw = text.substr(begin).starts_with("{{{");
        const auto inside = begin + (raw ? 3 : 2);
        const std::string_view closing = raw ? "}}}" : "}}";
        const auto end = text.find(closing, inside);
        if (end == std::string_view::npos || end - inside > longest_tag) {
            throw fault(begin, "a tag does not end");
        }
        read_tag(text.substr(inside, end - inside), begin, raw);
        at = end + closing.size();
    }
    if (!open_.empty()) {
        throw fault(text.size(), "{{#" + open_.back().name + "}} is not closed");
    }
}

void template_source::read_tag(std::string_view inside, std::size_t at, bool raw) {
    inside = trimmed_tag(inside);
    const char first = inside.empty() ? '\0' : inside.front();
    const auto rest = inside.substr(inside.empty() ? 0 : 1);
    if (raw || first == '&') {
        value(raw ? inside : rest, at, true);
    } else if (first == '!') {
        return;
    } else if (first == '>' || first == '=') {
        throw fault(at, "partials and changed delimiters are not for mails");
    } else if (first == '#' || first == '^') {
        open(rest, at, first == '^');
    } else if (first == '/') {
        close(trimmed_tag(rest), at);
    } else if (inside == "else") {
        turn(at);
    } else {
        value(inside, at, false);
    }
}

void template_source::open(std::string_view inside, std::size_t at, bool inverted) {
    if (open_.size() >= deepest) {
        throw fault(at, "sections nest over 16 deep");
    }
    template_tag tag;
    tag.section = true;
    tag.words = words_of(inside, at);
    const auto name = tag.words.front().text;
    if (tag.words.size() == 2 && contains(aliases, name)) {
        inverted = inverted != (name == "unless");
    } else if (tag.words.size() != 1 && !(tag.words.size() == 3 && contains(comparisons, name))) {
        throw fault(at, "expected a name, if, unless, each or a comparison of two");
    }
    const auto number = tags_.size();
    tags_.push_back(std::move(tag));
    out_ += (inverted ? "{{^s" : "{{#s") + std::to_string(number) + "}}";
    open_.emplace_back(number, name, inverted, at);
}

void template_source::turn(std::size_t at) {
    if (open_.empty()) {
        throw fault(at, "{{else}} stands outside of a section");
    }
    auto& section = open_.back();
    const auto number = std::to_string(section.number);
    section.inverted = !section.inverted;
    out_ += "{{/s" + number + "}}" + (section.inverted ? "{{^s" : "{{#s") + number + "}}";
}

void template_source::close(std::string_view name, std::size_t at) {
    if (open_.empty() || open_.back().name != name) {
        throw fault(at, open_.empty() ? std::string{"a section is closed that is not open"}
                                      : "expected {{/" + open_.back().name + "}}");
    }
    tags_[open_.back().number].body = at - open_.back().begin;
    out_ += "{{/s" + std::to_string(open_.back().number) + "}}";
    open_.pop_back();
}

void template_source::value(std::string_view inside, std::size_t at, bool raw) {
    template_tag tag;
    tag.words = words_of(inside, at);
    const auto& name = tag.words.front().text;
    const auto size = tag.words.size();
    const bool fits = size == 1 || ((size == 2 || size == 3) && contains(formats, name));
    if (!fits || tag.words.front().literal) {
        throw fault(at, "expected a name, or formatDate, formatTime or formatCurrency with values");
    }
    const auto number = std::to_string(tags_.size());
    tags_.push_back(std::move(tag));
    out_ += raw ? "{{{v" + number + "}}}" : "{{v" + number + "}}";
}

}  // namespace libqueue::processors::email
