#include "processors/support/payload.hpp"

#include <boost/json.hpp>

#include <functional>

namespace libqueue::processors {

namespace {

namespace json = boost::json;

std::string_view kind_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "a boolean";
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return "a number";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
    }
    return "nothing";
}

/// Splits an object into its members without looking inside them. Parsing the whole payload would
/// round the numbers of a field that is only passed on. Not a validator: payloads come out of
/// PostgreSQL as valid JSON, and whatever else comes ends in `false` or in a fault later.
class member_scanner {
   public:
    explicit member_scanner(std::string_view text) : text_{text} {}

    /// Calls `add(key token, value text)` per member; false when the text is not an object.
    template <typename Add>
    [[nodiscard]] bool scan(const Add& add) {
        if (!take('{')) {
            return false;
        }
        if (take('}')) {
            return at_end();
        }
        do {
            const auto key = value();
            if (key.size() < 2 || key.front() != '"' || !take(':')) {
                return false;
            }
            const auto member = value();
            if (member.empty()) {
                return false;
            }
            add(key, member);
        } while (take(','));
        return take('}') && at_end();
    }

   private:
    void skip_blanks() {
        const auto next = text_.find_first_not_of(" \t\r\n", at_);
        at_ = next == std::string_view::npos ? text_.size() : next;
    }

    bool take(char c) {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != c) {
            return false;
        }
        ++at_;
        return true;
    }

    bool at_end() {
        skip_blanks();
        return at_ == text_.size();
    }

    void skip_string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
            }
        }
        if (at_ < text_.size()) {
            ++at_;
        }
    }

    std::string_view value() {
        skip_blanks();
        const auto begin = at_;
        std::size_t depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"') {
                skip_string();
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at_;
            } else if (depth > 0 && (c == '}' || c == ']')) {
                --depth;
                ++at_;
            } else if (depth == 0 &&
                       std::string_view{",:}] \t\r\n"}.find(c) != std::string_view::npos) {
                break;
            } else {
                ++at_;
                continue;
            }
            if (depth == 0) {
                break;
            }
        }
        at_ = std::min(at_, text_.size());
        return text_.substr(begin, at_ - begin);
    }

    std::string_view text_;
    std::size_t at_{0};
};

std::optional<json::value> parsed(std::string_view text) {
    json::error_code failed;
    auto value = json::parse(json::string_view{text.data(), text.size()}, failed);
    if (failed) {
        return std::nullopt;
    }
    return value;
}

std::string text_of(const json::value& value) {
    const auto& text = value.get_string();
    return {text.data(), text.size()};
}

std::string indexed(std::string_view name, std::size_t index) {
    return std::string{name} + "[" + std::to_string(index) + "]";
}

}  // namespace

payload_reader::payload_reader(std::string_view json_text) {
    member_scanner scanner{json_text};
    const bool is_object = scanner.scan([this](std::string_view key, std::string_view member) {
        const auto name = parsed(key);
        if (name && name->is_string() && member != "null") {
            members_.insert_or_assign(text_of(*name), member);
        }
    });
    if (!is_object) {
        members_.clear();
        fault("", "expected a JSON object, got something else");
    }
}

void payload_reader::fault(std::string_view path, std::string_view message) {
    if (!faults_.empty()) {
        faults_ += "; ";
    }
    faults_ += "payload";
    if (!path.empty()) {
        faults_ += '.';
        faults_ += path;
    }
    faults_ += ": ";
    faults_ += message;
}

std::string_view payload_reader::raw_or_empty(std::string_view name) const {
    const auto found = members_.find(name);
    return found == members_.end() ? std::string_view{} : found->second;
}

std::string_view payload_reader::raw(std::string_view name) const {
    const auto text = raw_or_empty(name);
    return text.empty() ? std::string_view{"null"} : text;
}

std::string payload_reader::text(std::string_view name) {
    if (!has(name)) {
        fault(name, "expected a string, got nothing");
        return {};
    }
    auto value = optional_text(name);
    if (value && value->empty()) {
        fault(name, "expected a string, got an empty one");
    }
    return std::move(value).value_or("");
}

std::optional<std::string> payload_reader::optional_text(std::string_view name) {
    if (!has(name)) {
        return std::nullopt;
    }
    const auto value = parsed(raw_or_empty(name));
    if (!value || !value->is_string()) {
        fault(name,
              std::string{"expected a string, got "}.append(value ? kind_of(*value) : "no JSON"));
        return std::nullopt;
    }
    return text_of(*value);
}

std::optional<std::int64_t> payload_reader::optional_integer(std::string_view name,
                                                             std::int64_t least,
                                                             std::int64_t most) {
    if (!has(name)) {
        return std::nullopt;
    }
    const auto value = parsed(raw_or_empty(name));
    if (value && value->is_int64() && value->get_int64() >= least && value->get_int64() <= most) {
        return value->get_int64();
    }
    auto message = "expected an integer from " + std::to_string(least) + " to " +
                   std::to_string(most) + ", got ";
    message += !value               ? "no JSON"
               : value->is_number() ? (value->is_double() ? "another number" : "one outside")
                                    : kind_of(*value);
    fault(name, message);
    return std::nullopt;
}

std::optional<bool> payload_reader::optional_flag(std::string_view name) {
    if (!has(name)) {
        return std::nullopt;
    }
    const auto value = parsed(raw_or_empty(name));
    if (!value || !value->is_bool()) {
        fault(name, std::string{"expected true or false, got "}.append(value ? kind_of(*value)
                                                                             : "no JSON"));
        return std::nullopt;
    }
    return value->get_bool();
}

std::vector<std::string> payload_reader::texts(std::string_view name) {
    std::vector<std::string> all;
    if (!has(name)) {
        return all;
    }
    const auto value = parsed(raw_or_empty(name));
    if (value && value->is_string()) {
        all.push_back(text_of(*value));
    } else if (value && value->is_array()) {
        for (const auto& item : value->get_array()) {
            if (item.is_string()) {
                all.push_back(text_of(item));
            } else {
                fault(indexed(name, all.size()),
                      std::string{"expected a string, got "}.append(kind_of(item)));
                all.emplace_back();
            }
        }
    } else {
        fault(name, std::string{"expected a string or an array of strings, got "}.append(
                        value ? kind_of(*value) : "no JSON"));
    }
    return all;
}

std::vector<std::pair<std::string, std::string>> payload_reader::text_map(std::string_view name) {
    std::vector<std::pair<std::string, std::string>> all;
    if (!has(name)) {
        return all;
    }
    const auto value = parsed(raw_or_empty(name));
    if (!value || !value->is_object()) {
        fault(name, std::string{"expected an object of strings, got "}.append(
                        value ? kind_of(*value) : "no JSON"));
        return all;
    }
    for (const auto& member : value->get_object()) {
        if (member.value().is_string()) {
            all.emplace_back(std::string{member.key().data(), member.key().size()},
                             text_of(member.value()));
        } else {
            // The key is payload content, so its position stands for it.
            fault(indexed(name, all.size()),
                  std::string{"expected a string, got "}.append(kind_of(member.value())));
            all.emplace_back();
        }
    }
    return all;
}

std::string json_string(std::string_view text) {
    return json::serialize(json::string_view{text.data(), text.size()});
}

std::string json_strings(const std::vector<std::string>& texts) {
    std::string out{"["};
    for (const auto& text : texts) {
        if (out.size() > 1) {
            out += ',';
        }
        out += json_string(text);
    }
    return out += ']';
}

}  // namespace libqueue::processors
