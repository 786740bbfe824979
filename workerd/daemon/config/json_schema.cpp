#include "config/json_schema.hpp"

#include "config/option.hpp"

#include <fmt/format.h>

#include <memory>
#include <vector>

namespace workerd {

namespace {

std::string quoted(std::string_view text) {
    std::string out{"\""};
    for (const char letter : text) {
        if (letter == '"' || letter == '\\')
            out += fmt::format("\\{}", letter);
        else if (static_cast<unsigned char>(letter) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
        else
            out += letter;
    }
    return out + "\"";
}

// The options as a tree, in the order of the reference.
struct schema_node {
    std::string key;
    const option* row = nullptr;
    std::vector<std::unique_ptr<schema_node>> children;

    schema_node& child(std::string_view name) {
        for (auto& each : children)
            if (each->key == name)
                return *each;
        auto& made = *children.emplace_back(std::make_unique<schema_node>());
        made.key = name;
        return made;
    }
};

std::string limits_of(const option& row) {
    const bool limited = row.min != 0 || row.max != 0;
    return limited ? fmt::format(", \"minimum\": {}, \"maximum\": {}", row.min, row.max)
                   : std::string{};
}

std::string choices_of(const option& row) {
    std::string all;
    auto rest = row.choices;
    while (!rest.empty()) {
        const auto bar = rest.find('|');
        all += (all.empty() ? "" : ", ") + quoted(rest.substr(0, bar));
        rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
    }
    return all;
}

// YAML writes a number where a text is wanted without quotes, and a duration of 0 has no unit.
std::string type_of(const option& row) {
    if (row.type == option_type::boolean)
        return "\"type\": \"boolean\"";
    if (row.type == option_type::integer)
        return "\"type\": \"integer\"" + limits_of(row);
    if (row.type == option_type::choice)
        return fmt::format("\"enum\": [{}]", choices_of(row));
    if (row.type == option_type::text_list)
        return "\"type\": \"array\", \"items\": {\"type\": [\"string\", \"number\", \"boolean\"]}";
    return "\"type\": [\"string\", \"number\"]";
}

std::string indent_of(std::size_t depth) {
    return std::string(depth * 2, ' ');
}

std::string object_text(const schema_node& node, std::size_t depth);

std::string node_text(const schema_node& node, std::size_t depth) {
    if (node.row == nullptr)
        return object_text(node, depth);
    const auto& row = *node.row;
    auto about = fmt::format("{} ({})", row.doc, expectation(row));
    about += row.standard.empty() ? std::string{} : fmt::format(" Default: {}.", row.standard);
    return fmt::format("{{{}, \"description\": {}}}", type_of(row), quoted(about));
}

std::string object_text(const schema_node& node, std::size_t depth) {
    const auto inner = indent_of(depth + 1);
    std::string text = "{\n" + inner + "\"type\": [\"object\", \"null\"],\n";
    std::string required;
    std::string properties;
    std::string others = "false";
    for (const auto& each : node.children) {
        if (each->key == "*") {
            others = node_text(*each, depth + 1);
            continue;
        }
        if (each->row != nullptr && each->row->required)
            required += (required.empty() ? "" : ", ") + quoted(each->key);
        properties += (properties.empty() ? "" : ",\n") + indent_of(depth + 2) + quoted(each->key) +
                      ": " + node_text(*each, depth + 2);
    }
    if (!required.empty())
        text += inner + "\"required\": [" + required + "],\n";
    if (!properties.empty())
        text += inner + "\"properties\": {\n" + properties + "\n" + inner + "},\n";
    return text + inner + "\"additionalProperties\": " + others + "\n" + indent_of(depth) + "}";
}

}  // namespace

std::string configuration_schema() {
    schema_node root;
    for (const auto& row : all_options()) {
        auto* at = &root;
        for (const auto segment : split_path(row.path))
            at = &at->child(segment);
        at->row = &row;
    }
    const auto body = object_text(root, 0);
    return "{\n"
           "  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
           "  \"title\": \"Configuration of workerd\",\n" +
           body.substr(2) + "\n";
}

}  // namespace workerd
