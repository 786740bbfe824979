#include "server/filter_text.hpp"

#include "instant.hpp"

#include <optional>
#include <string_view>

namespace qctl {

namespace {

// Quoted where a word of the grammar would end or begin.
std::string value_text(std::string_view value) {
    const bool plain =
        !value.empty() && value.find_first_of(" \t\r\n\"\\,:") == std::string_view::npos;
    if (plain) {
        return std::string{value};
    }
    std::string text{"\""};
    for (const char c : value) {
        text += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    return text + '"';
}

class words {
   public:
    void add(std::string_view name, const std::optional<std::string>& value) {
        if (value) {
            raw(name, value_text(*value));
        }
    }
    void raw(std::string_view name, const std::string& value) {
        text_ += (text_.empty() ? "" : " ") + std::string{name} + ":" + value;
    }
    // Times are in quotes because of their colons.
    void range(std::string_view name, const std::optional<libqueue::time_point>& from,
               const std::optional<libqueue::time_point>& to) {
        if (from || to) {
            raw(name, (from ? iso_instant(*from) : "") + ".." + (to ? iso_instant(*to) : ""));
        }
    }
    [[nodiscard]] const std::string& done() const noexcept { return text_; }

   private:
    std::string text_;
};

}  // namespace

std::string filter_text(const libqueue::job_filter& of) {
    words text;
    std::string states;
    for (const auto state : of.states) {
        states += (states.empty() ? "" : ",") + std::string{libqueue::to_string(state)};
    }
    if (!states.empty()) {
        text.raw("state", states);
    }
    text.add("queue", of.queue);
    text.add("kind", of.kind);
    text.add("tag", of.tag);
    text.add("tenant", of.tenant_id);
    text.range("created", of.since, std::nullopt);
    if (of.before) {
        text.raw("id", "<" + std::to_string(*of.before));
    }
    return text.done();
}

std::string filter_text(const libqueue::dead_letter_filter& of) {
    words text;
    std::string ids;
    for (const auto id : of.ids) {
        ids += (ids.empty() ? "" : ",") + std::to_string(id);
    }
    if (!ids.empty()) {
        text.raw("id", ids);
    }
    text.add("queue", of.queue);
    text.add("kind", of.kind);
    text.add("tenant", of.tenant_id);
    text.add("error", of.error_like);
    text.add("fingerprint", of.fingerprint);
    text.range("died", of.since, of.until);
    if (of.before) {
        text.raw("id", "<" + std::to_string(*of.before));
    }
    return text.done();
}

}  // namespace qctl
