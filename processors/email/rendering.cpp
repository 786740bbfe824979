#include "processors/email/rendering.hpp"

#include "processors/email/formats.hpp"
#include "processors/email/template_tags.hpp"

#include <boost/json.hpp>
#include <kainjow/mustache.hpp>

#include <charconv>
#include <compare>
#include <cstdlib>
#include <deque>
#include <optional>
#include <utility>

namespace libqueue::processors::email {

namespace {

namespace json = boost::json;
using kainjow::mustache::data;

data data_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::object: {
            data object{data::type::object};
            for (const auto& member : value.get_object()) {
                // Null is as good as absent.
                if (!member.value().is_null()) {
                    object.set(std::string{member.key().data(), member.key().size()},
                               data_of(member.value()));
                }
            }
            return object;
        }
        case json::kind::array: {
            data list{data::type::list};
            for (const auto& item : value.get_array()) {
                list.push_back(data_of(item));
            }
            return list;
        }
        case json::kind::string:
            return data{std::string{value.get_string().data(), value.get_string().size()}};
        case json::kind::bool_:
            return data{value.get_bool()};
        case json::kind::null:
            return data{std::string{}};
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            break;
    }
    return data{json::serialize(value)};
}

std::optional<double> number_of(const std::string& text) {
    if (text.empty() || text.size() > 40 ||
        text.find_first_not_of("+-.0123456789eE") != std::string::npos) {
        return std::nullopt;
    }
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, value);
    return failed == std::errc{} && rest == end ? std::optional{value} : std::nullopt;
}

bool holds(std::string_view comparison, const std::string& left, const std::string& right) {
    const auto a = number_of(left);
    const auto b = number_of(right);
    const auto order = a && b ? *a <=> *b : std::partial_ordering{left <=> right};
    if (comparison == "eq") {
        return order == 0;
    }
    if (comparison == "ne") {
        return order != 0;
    }
    if (comparison == "lt") {
        return order < 0;
    }
    if (comparison == "le") {
        return order <= 0;
    }
    return comparison == "gt" ? order > 0 : order >= 0;
}

/// What kainjow asks for the tags of a template: the variables, strictly, and the helpers.
class tag_context : public kainjow::mustache::basic_context<std::string> {
   public:
    tag_context(const template_source& source, const data& variables, const rendering& how)
        : source_{source}, how_{how}, stack_{&variables} {
        spend_bytes(source.mustache().size());
    }

    void push(const data* item) override {
        spend_step();
        stack_.push_back(item);
    }
    void pop() override { stack_.pop_back(); }
    const data* get_partial(const std::string&) const override { return nullptr; }
    const data* get(const std::string& name) const override {
        spend_step();
        std::size_t number = 0;
        std::from_chars(name.data() + 1, name.data() + name.size(), number);
        const auto& tag = source_.tag(number);
        return tag.section ? section(tag) : value(tag);
    }

   private:
    const data* section(const template_tag& tag) const {
        if (tag.words.size() == 3) {
            const bool is = holds(tag.words[0].text, argument(tag, 1), argument(tag, 2));
            return is ? &yes_ : &no_;
        }
        const auto& word = tag.words.back();
        const auto* found = word.literal ? nullptr : find(word.text);
        if (found == nullptr || is_empty(*found)) {
            return &no_;
        }
        const auto times = found->is_list() ? found->list_value().size() : 1;
        spend_bytes(tag.body * times);
        const bool once = tag.words.size() == 2 && tag.words[0].text != "each";
        return once ? &yes_ : found;
    }

    const data* value(const template_tag& tag) const {
        if (tag.words.size() == 1) {
            const auto* found = required(tag.words[0].text);
            if (found->is_true() || found->is_false()) {
                made_.emplace_back(found->is_true() ? "true" : "false");
                return &made_.back();
            }
            if (!found->is_string()) {
                throw template_error{"template: " + tag.words[0].text +
                                     ": expected a text or a number, got a list or an object"};
            }
            spend_bytes(found->string_value().size());
            return found;
        }
        const auto& helper = tag.words[0].text;
        const auto first = argument(tag, 1);
        const auto second = tag.words.size() == 3 ? argument(tag, 2) : std::string{};
        const auto text =
            helper == "formatDate"
                ? format_date(first, second.empty() ? "long" : second, how_.locale, how_.zone)
            : helper == "formatTime" ? format_time(first, how_.locale, how_.zone)
                                     : format_currency(first, second, how_.locale);
        if (!text) {
            throw template_error{"template: " + helper + " " + tag.words[1].text +
                                 ": the value, the style or the zone does not fit"};
        }
        spend_bytes(text->size());
        made_.emplace_back(*text);
        return &made_.back();
    }

    std::string argument(const template_tag& tag, std::size_t at) const {
        const auto& word = tag.words[at];
        if (word.literal) {
            return word.text;
        }
        const auto* found = required(word.text);
        if (found->is_true() || found->is_false()) {
            return found->is_true() ? "true" : "false";
        }
        if (!found->is_string()) {
            throw template_error{"template: " + word.text +
                                 ": expected a text or a number, got a list or an object"};
        }
        return found->string_value();
    }

    const data* required(const std::string& path) const {
        const auto* found = find(path);
        if (found == nullptr) {
            throw template_error{"template: missing variable " + path};
        }
        return found;
    }

    const data* find(std::string_view path) const {
        if (path == "." || path == "this") {
            for (auto at = stack_.rbegin(); at != stack_.rend(); ++at) {
                if (*at != &yes_ && *at != &no_) {
                    return *at;
                }
            }
            return nullptr;
        }
        const auto first = std::string{path.substr(0, path.find('.'))};
        const data* found = nullptr;
        for (auto at = stack_.rbegin(); at != stack_.rend() && found == nullptr; ++at) {
            found = (*at)->is_object() ? (*at)->get(first) : nullptr;
        }
        while (found != nullptr && path.find('.') != std::string_view::npos) {
            path.remove_prefix(path.find('.') + 1);
            const auto next = std::string{path.substr(0, path.find('.'))};
            found = found->is_object() ? found->get(next) : nullptr;
        }
        return found;
    }

    static bool is_empty(const data& value) {
        return value.is_false() || value.is_empty_list() ||
               (value.is_string() && (value.string_value().empty() || value.string_value() == "0"));
    }

    void spend_step() const {
        if (++steps_ > how_.most_steps) {
            throw template_error{"template: over " + std::to_string(how_.most_steps) +
                                 " tags and items"};
        }
    }
    void spend_bytes(std::size_t bytes) const {
        bytes_ += bytes;
        if (bytes_ > how_.most_bytes) {
            throw template_error{"template: the text would be over " +
                                 std::to_string(how_.most_bytes) + " bytes"};
        }
    }

    const template_source& source_;
    const rendering& how_;
    std::vector<const data*> stack_;
    const data yes_{true};
    const data no_{false};
    // `get` is const to kainjow; what it makes must stay until the rendering ends.
    mutable std::deque<data> made_;
    mutable std::size_t steps_{0};
    mutable std::size_t bytes_{0};
};

}  // namespace

result<std::string> render(std::string_view source, std::string_view variables,
                           const rendering& how) {
    json::error_code failed;
    const auto values = json::parse(json::string_view{variables.data(), variables.size()}, failed);
    if (failed || !values.is_object()) {
        return error{errc::invalid_argument, "variables: expected an object"};
    }
    try {
        const template_source tags{source};
        kainjow::mustache::mustache engine{tags.mustache()};
        if (!engine.is_valid()) {
            return error{errc::invalid_argument, "template: " + engine.error_message()};
        }
        if (how.escape == rendering::escaping::none) {
            engine.set_custom_escape([](const std::string& text) { return text; });
        }
        const auto root = data_of(values);
        tag_context context{tags, root, how};
        auto text = engine.render(context);
        if (!engine.is_valid()) {
            return error{errc::invalid_argument, "template: " + engine.error_message()};
        }
        return text;
    } catch (const template_error& fault) {
        return error{errc::invalid_argument, fault.message};
    }
}

}  // namespace libqueue::processors::email
