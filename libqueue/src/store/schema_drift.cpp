#include "store/schema_drift.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace libqueue::store {
namespace {

std::string_view first_word(std::string_view text) {
    return text.substr(0, text.find_first_of(" (;"));
}

/// What follows `prefix`, up to the end of the word; empty when the text does not begin with it.
std::string_view word_after(std::string_view text, std::string_view prefix) {
    return text.starts_with(prefix) ? first_word(text.substr(prefix.size())) : std::string_view{};
}

std::string unquoted(std::string_view name) {
    std::string plain{name};
    std::erase(plain, '"');
    return plain;
}

std::string_view trimmed(std::string_view line) {
    const auto start = line.find_first_not_of(" \t");
    return start == std::string_view::npos ? std::string_view{} : line.substr(start);
}

/// The dump is normalised line by line (see scripts/update-schema); a body must be, too, before the
/// two are compared.
std::string normal_body(std::string_view body) {
    std::string out;
    bool blank = false;
    while (!body.empty()) {
        const auto end = std::min(body.find('\n'), body.size());
        const auto line = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        if (line.starts_with("--") || line.starts_with("SET ") || line.starts_with("\\")) {
            continue;
        }
        if (line.empty()) {
            blank = !out.empty();
            continue;
        }
        out += blank ? "\n" : "";
        out.append(line).append("\n");
        blank = false;
    }
    return out;
}

class dump_reader {
   public:
    dump_reader(std::string_view dump, std::string_view schema)
        : rest_{dump}, prefix_{std::string{schema} + "."} {}

    std::vector<schema_object> read() {
        while (!rest_.empty()) {
            statement(next_line());
        }
        std::vector<schema_object> kept;
        for (auto& [table, object] : found_) {
            const bool partition = partitions_.contains(table) || partitions_.contains(object.name);
            if (!partition) {
                kept.push_back(std::move(object));
            }
        }
        return kept;
    }

   private:
    std::string_view next_line() {
        const auto end = std::min(rest_.find('\n'), rest_.size());
        const auto line = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return line;
    }

    void add(std::string_view table, const char* what, std::string name, std::string body = {}) {
        found_.emplace_back(std::string{table},
                            schema_object{what, std::move(name), std::move(body)});
    }

    void statement(std::string_view line) {
        if (const auto table = word_after(line, "CREATE TABLE " + prefix_); !table.empty()) {
            add(table, "table", std::string{table});
            columns(table);
        } else if (const auto view = word_after(line, "CREATE VIEW " + prefix_); !view.empty()) {
            add("", "view", std::string{view});
        } else if (const auto name = word_after(line, "CREATE FUNCTION " + prefix_);
                   !name.empty()) {
            function(name, line);
        } else if (line.starts_with("CREATE INDEX ") || line.starts_with("CREATE UNIQUE INDEX ")) {
            const auto at = line.find("INDEX ") + 6;
            const auto on = line.find(" ON ");
            const auto owner = line.find(prefix_, on);
            if (owner != std::string_view::npos) {
                add(first_word(line.substr(owner + prefix_.size())), "index",
                    std::string{first_word(line.substr(at))});
            }
        } else if (const auto table_changed = word_after(line, "ALTER TABLE ONLY " + prefix_);
                   !table_changed.empty()) {
            altered_ = table_changed;
            note_partition(line);
        } else if (line.starts_with("ALTER INDEX ")) {
            note_partition(line);
        } else if (const auto constraint = word_after(trimmed(line), "ADD CONSTRAINT ");
                   !constraint.empty()) {
            add(altered_, "constraint", std::string{constraint});
        }
    }

    void note_partition(std::string_view line) {
        const std::string attach = "ATTACH PARTITION " + prefix_;
        if (const auto at = line.find(attach); at != std::string_view::npos) {
            partitions_.emplace(first_word(line.substr(at + attach.size())));
        }
    }

    void columns(std::string_view table) {
        for (auto line = next_line(); !line.starts_with(")"); line = next_line()) {
            const auto text = trimmed(line);
            if (const auto constraint = word_after(text, "CONSTRAINT "); !constraint.empty()) {
                add(table, "constraint", std::string{constraint});
            } else {
                add(table, "column", std::string{table} + "." + unquoted(first_word(text)));
            }
            if (rest_.empty()) {
                return;
            }
        }
    }

    void function(std::string_view name, std::string_view line) {
        // The body is quoted as $tag$ ... $tag$; one that is not is an expression, which the
        // catalog holds in another form.
        while (!trimmed(line).starts_with("AS $")) {
            if (line.ends_with(";") || rest_.empty()) {
                add("", "function", unquoted(name));
                return;
            }
            line = next_line();
        }
        const auto text = trimmed(line).substr(3);
        const auto tag = text.substr(0, text.find('$', 1) + 1);
        const char* const begin = text.data() + tag.size();
        const std::string_view all{begin,
                                   static_cast<std::size_t>(rest_.data() + rest_.size() - begin)};
        const auto end = std::min(all.find(tag), all.size());
        add("", "function", unquoted(name), std::string{all.substr(0, end)});
        rest_ = all.substr(std::min(end + tag.size(), all.size()));
    }

    std::string_view rest_;
    std::string prefix_;
    std::string_view altered_;
    std::vector<std::pair<std::string, schema_object>> found_;  // with the table it belongs to
    std::set<std::string, std::less<>> partitions_;
};

}  // namespace

std::vector<schema_object> read_schema_dump(std::string_view dump, std::string_view schema) {
    return dump_reader{dump, schema}.read();
}

std::vector<std::string> find_drift(const std::vector<schema_object>& expected,
                                    const std::vector<schema_object>& live) {
    std::set<std::pair<std::string, std::string>> names;
    std::set<std::pair<std::string, std::string>> bodies;
    for (const schema_object& each : live) {
        names.emplace(each.what, each.name);
        if (!each.body.empty()) {
            bodies.emplace(each.name, normal_body(each.body));
        }
    }
    std::vector<std::string> drift;
    for (const schema_object& each : expected) {
        if (!names.contains({each.what, each.name})) {
            drift.push_back(each.what + " " + each.name + " is missing");
        } else if (!each.body.empty() && !bodies.contains({each.name, normal_body(each.body)})) {
            drift.push_back(each.what + " " + each.name + " differs from this build's");
        }
    }
    return drift;
}

}  // namespace libqueue::store
