#include "server/json_body.hpp"

#include "instant.hpp"
#include "printable.hpp"

#include <array>
#include <charconv>

namespace qctl {

json_body& json_body::raw(std::string_view name, std::string_view value) {
    if (!value.empty()) {
        members_ += (members_.empty() ? "" : ",") + json_quoted(name) + ":" + std::string{value};
    }
    return *this;
}

json_body& json_body::text(std::string_view name, const std::optional<std::string>& value) {
    return value ? raw(name, json_quoted(*value)) : *this;
}

json_body& json_body::texts(std::string_view name, const std::vector<std::string>& values) {
    std::string all;
    for (const auto& value : values) {
        all += (all.empty() ? "[" : ",") + json_quoted(value);
    }
    return all.empty() ? *this : raw(name, all + "]");
}

json_body& json_body::integer(std::string_view name, std::optional<std::int64_t> value) {
    return value ? raw(name, std::to_string(*value)) : *this;
}

json_body& json_body::number(std::string_view name, std::optional<double> value) {
    if (!value) {
        return *this;
    }
    std::array<char, 64> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *value).ptr;
    return raw(name, std::string_view(digits.data(), end));
}

json_body& json_body::boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

json_body& json_body::time(std::string_view name,
                           const std::optional<libqueue::time_point>& value) {
    return value ? raw(name, json_quoted(iso_instant(*value))) : *this;
}

}  // namespace qctl
