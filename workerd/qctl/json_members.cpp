#include "json_members.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace qctl {

namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 128;

class scanner {
   public:
    explicit scanner(std::string_view text) noexcept : text_{text} {}

    void skip_space() noexcept {
        at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    }

    bool take(char wanted) noexcept {
        skip_space();
        if (at_ == text_.size() || text_[at_] != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    [[nodiscard]] bool at_end() noexcept {
        skip_space();
        return at_ == text_.size();
    }

    // A value as it stands, by its brackets and quotes alone; empty when it does not end.
    std::string_view value() noexcept {
        skip_space();
        const auto begin = at_;
        std::size_t depth = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                if (!skip_string()) {
                    return {};
                }
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if (c == '}' || c == ']') {
                if (depth == 0) {
                    break;
                }
                --depth;
            } else if (depth == 0 && c == ',') {
                break;
            }
        }
        auto end = at_;
        while (end > begin &&
               std::string_view{" \t\r\n"}.find(text_[end - 1]) != std::string_view::npos) {
            --end;
        }
        return depth == 0 ? text_.substr(begin, end - begin) : std::string_view{};
    }

    std::string_view string() noexcept {
        skip_space();
        const auto begin = at_;
        if (at_ == text_.size() || text_[at_] != '"' || !skip_string()) {
            return {};
        }
        ++at_;
        return text_.substr(begin, at_ - begin);
    }

   private:
    // From the opening quote to the closing one.
    bool skip_string() noexcept {
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
            } else if (text_[at_] == '"') {
                return true;
            }
        }
        return false;
    }

    std::string_view text_;
    std::size_t at_{0};
};

std::optional<json::value> parsed(std::string_view text) {
    json::parse_options options;
    options.max_depth = deepest;
    json::error_code error;
    auto value = json::parse({text.data(), text.size()}, error, {}, options);
    return error ? std::nullopt : std::optional{std::move(value)};
}

}  // namespace

std::optional<std::vector<json_member>> json_members(std::string_view text) {
    scanner from{text};
    std::vector<json_member> members;
    if (!from.take('{')) {
        return std::nullopt;
    }
    bool more = !from.take('}');
    while (more) {
        auto name = json_text(from.string());
        if (!name || !from.take(':')) {
            return std::nullopt;
        }
        const auto value = from.value();
        const bool known = std::ranges::any_of(
            members, [&](const json_member& member) { return member.name == *name; });
        if (value.empty() || known) {
            return std::nullopt;
        }
        members.push_back(json_member{.name = std::move(*name), .value = value});
        more = from.take(',');
        if (!more && !from.take('}')) {
            return std::nullopt;
        }
    }
    return from.at_end() ? std::optional{std::move(members)} : std::nullopt;
}

std::optional<std::vector<std::string_view>> json_elements(std::string_view text) {
    scanner from{text};
    std::vector<std::string_view> elements;
    if (!from.take('[')) {
        return std::nullopt;
    }
    bool more = !from.take(']');
    while (more) {
        const auto value = from.value();
        if (value.empty()) {
            return std::nullopt;
        }
        elements.push_back(value);
        more = from.take(',');
        if (!more && !from.take(']')) {
            return std::nullopt;
        }
    }
    return from.at_end() ? std::optional{std::move(elements)} : std::nullopt;
}

std::optional<std::string> json_text(std::string_view value) {
    const auto read = parsed(value);
    if (!read || !read->is_string()) {
        return std::nullopt;
    }
    const auto& text = read->get_string();
    return std::string{text.data(), text.size()};
}

std::optional<std::vector<std::string>> json_texts(std::string_view value) {
    const auto read = parsed(value);
    if (!read || !read->is_array()) {
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const auto& item : read->get_array()) {
        if (!item.is_string()) {
            return std::nullopt;
        }
        const auto& text = item.get_string();
        texts.emplace_back(text.data(), text.size());
    }
    return texts;
}

bool is_json(std::string_view text) {
    return parsed(text).has_value();
}

}  // namespace qctl
