#pragma once

#include "config/fault.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd {

/// A YAML document as configuration needs it: every key and value knows its line and column, and
/// nothing is shared or expanded. Built from parser events rather than from YAML::Node, which keeps
/// neither the position of keys nor duplicates, and follows aliases.
struct yaml_node {
    enum class shape { nothing, scalar, mapping, sequence };

    struct entry;

    shape form = shape::nothing;
    origin where;
    std::string text;
    bool was_quoted = false;
    /// Already reported: whoever reads the tree passes over it.
    bool was_refused = false;
    std::vector<entry> entries;
    std::vector<yaml_node> items;
};

struct yaml_node::entry {
    std::string key;
    origin key_where;
    yaml_node value;
};

/// "a mapping", "a list", "nothing" or the quoted text: what a message says was found.
[[nodiscard]] std::string describe(const yaml_node& node);

/// Limits that keep a hostile or broken file from costing more than reading it.
constexpr std::size_t yaml_bytes_max = 1 << 20;
constexpr std::size_t yaml_nodes_max = 20'000;
constexpr std::size_t yaml_depth_max = 16;

/// Parses one document. Syntax errors, duplicate keys, anchors, aliases, merge keys, tags, several
/// documents and exceeded limits are added to `faults`; the tree returned is what could be read.
[[nodiscard]] yaml_node parse_yaml(std::string_view text, const std::string& file,
                                   std::vector<config_fault>& faults);

}  // namespace workerd
