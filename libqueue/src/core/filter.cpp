#include "core/filter_fields.hpp"
#include "core/text.hpp"

#include <libqueue/filter.hpp>

#include <algorithm>
#include <cstddef>

namespace libqueue {
namespace {

constexpr std::size_t text_bytes{4096};
constexpr std::size_t terms_max{64};
constexpr std::size_t values_max{100};
constexpr std::size_t path_max{16};
constexpr std::size_t completions_max{20};

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string in_quotes(std::string_view value) {
    std::string quoted = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
        }
        quoted += c;
    }
    return quoted + '"';
}

/// A word without a field is quoted where it would be an id, a field, or a negation.
std::string written_word(std::string_view word) {
    const bool number =
        std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool plain = !number && word.front() != '-' &&
                       std::none_of(word.begin(), word.end(),
                                    [](char c) { return is_space(c) || c == '"' || c == ':'; });
    return plain ? std::string{word} : in_quotes(word);
}

/// Reads from the left; every fault knows its position.
class reader {
   public:
    explicit reader(std::string_view text) noexcept : text_{text} {}

    result<filter> read() {
        filter all;
        for (skip_space(); at_ < text_.size(); skip_space()) {
            if (all.terms.size() == terms_max) {
                return fault("expected at most 64 terms, got more");
            }
            auto term = read_term();
            if (term.has_error()) {
                return term.error();
            }
            all.terms.push_back(*std::move(term));
        }
        return all;
    }

   private:
    error fault(const std::string& what, std::string hint = {}) const {
        return fault_at(at_, what, std::move(hint));
    }
    static error fault_at(std::size_t where, const std::string& what, std::string hint = {}) {
        return error{errc::invalid_argument,
                     "filter: position " + std::to_string(where + 1) + ": " + what,
                     std::move(hint)};
    }

    void skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) {
            ++at_;
        }
    }

    /// To the next space, comma or quote; a colon ends it only while a field may come.
    std::string_view bare(bool field) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '"' &&
               !(field ? text_[at_] == ':' : text_[at_] == ',')) {
            ++at_;
        }
        return text_.substr(begin, at_ - begin);
    }

    result<std::string> quoted() {
        const std::size_t begin = at_++;
        std::string value;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                ++at_;
            }
            value += text_[at_++];
        }
        if (at_ == text_.size()) {
            return fault_at(begin, "expected the quote to end, got the end of the text");
        }
        ++at_;
        return value;
    }

    result<filter_term> read_term() {
        filter_term term;
        if (text_[at_] == '-') {
            term.negated = true;
            ++at_;
        }
        const std::size_t begin = at_;
        if (at_ < text_.size() && text_[at_] == '"') {
            return read_word(std::move(term), {});
        }
        const std::string_view name = bare(true);
        if (at_ == text_.size() || text_[at_] != ':') {
            return read_word(std::move(term), name);
        }
        const core::filter_field* const field = core::find_filter_field(name);
        if (field == nullptr) {
            return unknown_field(begin, name);
        }
        ++at_;
        term.field = std::string{field->name};
        if (auto path = read_path(begin, *field, name, term); path.has_error()) {
            return path.error();
        }
        if (auto values = read_values(*field, term); values.has_error()) {
            return values.error();
        }
        return term;
    }

    static error unknown_field(std::size_t where, std::string_view name) {
        std::string hint;
        if (name == "args" || name == "args.") {
            hint = "name a member of the payload: args.user.id:42";
        } else if (const auto meant = core::closest_filter_field(name); !meant.empty()) {
            hint = "did you mean " + std::string{meant} + ":?";
        } else {
            hint = "to look for this text write it in quotes";
        }
        return fault_at(
            where,
            "expected a field, got '" + std::string{name.substr(0, 100)} + "' (" + hint + ")",
            "fields: state queue kind tag tenant id priority attempt batch created "
            "died age error reason fingerprint args.MEMBER");
    }

    static result<void> read_path(std::size_t where, const core::filter_field& field,
                                  std::string_view name, filter_term& term) {
        if (field.type != core::filter_type::json) {
            return {};
        }
        std::string_view rest = name.substr(field.name.size());
        while (!rest.empty()) {
            rest.remove_prefix(1);
            const auto dot = std::min(rest.find('.'), rest.size());
            if (dot == 0 || term.path.size() == path_max) {
                return fault_at(where, "expected a member of the payload as args.user.id, got '" +
                                           std::string{name.substr(0, 100)} + "'");
            }
            term.path.emplace_back(rest.substr(0, dot));
            rest.remove_prefix(dot);
        }
        return {};
    }

    result<void> read_values(const core::filter_field& field, filter_term& term) {
        while (true) {
            const std::size_t begin = at_;
            const bool in_quotes = at_ < text_.size() && text_[at_] == '"';
            std::string value;
            if (in_quotes) {
                auto inside = quoted();
                if (inside.has_error()) {
                    return inside.error();
                }
                value = *std::move(inside);
            } else {
                value = std::string{bare(false)};
                if (value.empty()) {
                    return fault("expected " + std::string{field.expected} +
                                 ", got nothing behind '" + std::string{field.name} + ":'");
                }
            }
            if (auto read = core::read_filter_value(field, value, in_quotes, term.any);
                read.has_error()) {
                return fault_at(begin, std::string{field.name} + ": " + read.error().message);
            }
            if (term.any.size() > values_max) {
                return fault_at(begin, "expected at most 100 values, got more");
            }
            if (at_ == text_.size() || is_space(text_[at_])) {
                return {};
            }
            if (text_[at_] != ',') {
                return fault("expected a comma or a space behind the value, got '" +
                             std::string{text_.substr(at_, 1)} + "'");
            }
            ++at_;
        }
    }

    /// A word without a field: a number is an id, the rest is looked for.
    result<filter_term> read_word(filter_term term, std::string_view word) {
        const std::size_t begin = at_ - word.size();
        std::string value{word};
        if (word.empty()) {
            if (at_ == text_.size() || text_[at_] != '"') {
                return fault("expected a term behind '-', got nothing");
            }
            auto inside = quoted();
            if (inside.has_error()) {
                return inside.error();
            }
            value = *std::move(inside);
        } else if (std::all_of(word.begin(), word.end(),
                               [](char c) { return c >= '0' && c <= '9'; })) {
            const core::filter_field& id = *core::find_filter_field("id");
            term.field = "id";
            if (auto read = core::read_filter_value(id, word, false, term.any); read.has_error()) {
                return fault_at(begin, read.error().message);
            }
        }
        if (at_ < text_.size() && !is_space(text_[at_])) {
            return fault("expected a space behind the word, got '" +
                         std::string{text_.substr(at_, 1)} + "'");
        }
        if (!term.any.empty()) {
            return term;
        }
        if (value.empty()) {
            return fault_at(begin, "expected a text between the quotes, got nothing");
        }
        term.field = "text";
        term.any.push_back(filter_value{
            written_word(value), "{\"part\":" + core::json_string(value, 4 * text_bytes) + "}"});
        return term;
    }

    std::string_view text_;
    std::size_t at_{0};
};

}  // namespace

std::string quote_filter_value(std::string_view value) {
    const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return !is_space(c) && c != '"' && c != ',' && c != '*';
    });
    return plain ? std::string{value} : in_quotes(value);
}

std::string filter::text() const {
    std::string all;
    for (const filter_term& term : terms) {
        all += all.empty() ? "" : " ";
        all += term.negated ? "-" : "";
        if (term.field != "text") {
            all += term.field;
            for (const std::string& step : term.path) {
                all += "." + step;
            }
            all += ':';
        }
        bool first = true;
        for (const filter_value& value : term.any) {
            all += first ? "" : ",";
            all += value.written;
            first = false;
        }
    }
    return all;
}

std::string filter::json() const {
    std::string all = "[";
    for (const filter_term& term : terms) {
        all += all.size() == 1 ? "{" : ",{";
        all += "\"field\":\"" + term.field + "\"";
        if (term.negated) {
            all += ",\"not\":true";
        }
        if (!term.path.empty()) {
            std::string path;
            for (const std::string& step : term.path) {
                path += (path.empty() ? "" : ",") + core::json_string(step, 4 * text_bytes);
            }
            all += ",\"path\":[" + path + "]";
        }
        all += ",\"any\":[";
        bool first = true;
        for (const filter_value& value : term.any) {
            all += (first ? "" : ",") + value.json;
            first = false;
        }
        all += "]}";
    }
    return all + "]";
}

result<filter> parse_filter(std::string_view text) {
    if (text.size() > text_bytes) {
        return error{errc::invalid_argument,
                     "filter: expected at most 4096 bytes, got " + std::to_string(text.size())};
    }
    if (!core::is_storable_text(text)) {
        return error{errc::invalid_argument, "filter: expected UTF-8 without NUL, got other bytes"};
    }
    return reader{text}.read();
}

std::vector<std::string> complete_filter(std::string_view text) {
    const auto space = text.find_last_of(" \t\n\r");
    std::string_view word = space == std::string_view::npos ? text : text.substr(space + 1);
    std::string before;
    if (word.starts_with('-')) {
        before = "-";
        word.remove_prefix(1);
    }
    std::vector<std::string> all;
    const auto add = [&](std::string_view begun, std::string_view name, const std::string& whole) {
        if (name.starts_with(begun) && all.size() < completions_max) {
            all.push_back(whole);
        }
    };
    if (const auto colon = word.find(':'); colon != std::string_view::npos) {
        const core::filter_field* const field = core::find_filter_field(word.substr(0, colon));
        if (field != nullptr && field->type == core::filter_type::state) {
            const auto comma = std::max(word.find_last_of(":,"), colon);
            for (const core::state_name& each : core::state_names()) {
                add(word.substr(comma + 1), each.name,
                    before + std::string{word.substr(0, comma + 1)} + std::string{each.name});
            }
        }
        return all;
    }
    for (const core::filter_field& each : core::filter_fields()) {
        const std::string ending = each.type == core::filter_type::json ? "." : ":";
        add(word, each.name, before + std::string{each.name} + ending);
    }
    return all;
}

}  // namespace libqueue
