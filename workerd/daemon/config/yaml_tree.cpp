#include "config/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <sstream>
#include <utility>

namespace workerd {

namespace {

// Thrown through yaml-cpp's parser to stop it early; never leaves parse_yaml().
struct parsing_stopped {};

class tree_builder final : public YAML::EventHandler {
   public:
    tree_builder(const std::string& file, std::vector<config_fault>& faults)
        : file_{file}, faults_{faults} {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        yaml_node node;
        node.where = at(mark);
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        report(at(mark), "a value", "an alias (*name)",
               "anchors and aliases are not read here; write the value out");
        yaml_node node;
        node.where = at(mark);
        node.was_refused = true;
        add(std::move(node));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        yaml_node node;
        node.form = yaml_node::shape::scalar;
        node.where = at(mark);
        node.text = value;
        node.was_quoted = tag == "!";
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, yaml_node::shape::sequence);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, yaml_node::shape::mapping);
    }

    void OnMapEnd() override { close(); }

    [[nodiscard]] yaml_node take_root() { return std::move(root_); }

   private:
    struct open_node {
        yaml_node node;
        bool has_key = false;
        std::string key;
        origin key_where;
    };

    [[nodiscard]] origin at(const YAML::Mark& mark) const {
        return {file_, static_cast<std::size_t>(std::max(mark.line, 0)) + 1,
                static_cast<std::size_t>(std::max(mark.column, 0)) + 1};
    }

    [[nodiscard]] std::string path() const {
        std::string text;
        for (const auto& level : stack_) {
            if (!level.has_key)
                continue;
            text += text.empty() ? "" : ".";
            text += level.key;
        }
        return text;
    }

    void report(origin where, std::string expected, std::string got, std::string hint) {
        faults_.push_back({severity::fault, std::move(where), path(), std::move(expected),
                           std::move(got), std::move(hint)});
    }

    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0)
            report(at(mark), "a value", "an anchor (&name)",
                   "anchors and aliases are not read here; write the value out");
    }

    void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!")
            report(at(mark), "a plain value", "the tag " + as_written(tag), "remove the tag");
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              yaml_node::shape form) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (stack_.size() >= yaml_depth_max) {
            report(at(mark), fmt::format("at most {} levels", yaml_depth_max), "a deeper one",
                   "no option lies this deep");
            throw parsing_stopped{};
        }
        open_node level;
        level.node.form = form;
        level.node.where = at(mark);
        stack_.push_back(std::move(level));
    }

    void close() {
        auto done = std::move(stack_.back().node);
        stack_.pop_back();
        add(std::move(done));
    }

    void add(yaml_node node) {
        if (++node_count_ > yaml_nodes_max) {
            report(node.where, fmt::format("at most {} values", yaml_nodes_max), "more", "");
            throw parsing_stopped{};
        }
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& top = stack_.back();
        if (top.node.form == yaml_node::shape::sequence)
            top.node.items.push_back(std::move(node));
        else if (!top.has_key)
            take_key(top, node);
        else
            take_value(top, std::move(node));
    }

    void take_key(open_node& top, const yaml_node& node) {
        if (node.form != yaml_node::shape::scalar)
            report(node.where, "a name as key", describe(node), "write `name: value`");
        top.has_key = true;
        top.key = node.text;
        top.key_where = node.where;
    }

    void take_value(open_node& top, yaml_node node) {
        const auto same = [&](const yaml_node::entry& entry) {
            return entry.key == top.key;
        };
        auto& entries = top.node.entries;
        const auto earlier = std::find_if(entries.begin(), entries.end(), same);
        if (top.key == "<<") {
            report(top.key_where, "an option", "a merge key (<<)", "write the values out");
        } else if (earlier != entries.end()) {
            report(top.key_where, "each key once",
                   fmt::format("it again, first on line {}", earlier->key_where.line),
                   "remove one of the two");
        } else {
            entries.push_back({top.key, top.key_where, std::move(node)});
        }
        top.has_key = false;
    }

    const std::string& file_;
    std::vector<config_fault>& faults_;
    std::vector<open_node> stack_;
    std::size_t node_count_ = 0;
    yaml_node root_;
};

config_fault syntax_fault(const std::string& file, const YAML::Exception& error) {
    config_fault fault;
    fault.where = {file, static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1,
                   static_cast<std::size_t>(std::max(error.mark.column, 0)) + 1};
    fault.expected = "YAML";
    fault.got = error.msg;
    fault.hint = "check the indentation (spaces, no tabs), colons and quotes around this place";
    return fault;
}

}  // namespace

std::string describe(const yaml_node& node) {
    switch (node.form) {
        case yaml_node::shape::nothing:
            return "nothing";
        case yaml_node::shape::scalar:
            return as_written(node.text);
        case yaml_node::shape::mapping:
            return "a mapping";
        case yaml_node::shape::sequence:
            return "a list";
    }
    return "nothing";
}

yaml_node parse_yaml(std::string_view text, const std::string& file,
                     std::vector<config_fault>& faults) {
    if (text.size() > yaml_bytes_max) {
        faults.push_back({severity::fault,
                          {file, 1, 1},
                          "",
                          fmt::format("at most {} bytes", yaml_bytes_max),
                          fmt::format("{}", text.size()),
                          "is this the right file?"});
        return {};
    }
    const auto nul = text.find('\0');
    if (nul != std::string_view::npos) {
        const auto lines = std::count(text.begin(), text.begin() + static_cast<long>(nul), '\n');
        faults.push_back({severity::fault,
                          {file, static_cast<std::size_t>(lines) + 1, 1},
                          "",
                          "text",
                          "a NUL byte",
                          "is this the right file?"});
        return {};
    }

    std::istringstream input{std::string{text}};
    tree_builder builder{file, faults};
    try {
        YAML::Parser parser{input};
        if (!parser.HandleNextDocument(builder))
            return {};
        auto root = builder.take_root();
        tree_builder rest{file, faults};
        if (parser.HandleNextDocument(rest))
            faults.push_back({severity::fault, rest.take_root().where, "", "one document",
                              "a second one (---)", "put everything into one document"});
        return root;
    } catch (const YAML::Exception& error) {
        faults.push_back(syntax_fault(file, error));
    } catch (const parsing_stopped&) {
        // The reason is already among the faults.
        return {};
    }
    return builder.take_root();
}

}  // namespace workerd
