#include "engine/handler_sql.hpp"

#include "pg/schema_name.hpp"

#include <utility>

namespace libqueue::engine {
namespace {

constexpr std::size_t prepared_most{500};

}  // namespace

std::string handler_sql::in_schema(const std::string& sql) const {
    return pg::with_schema(sql, schema_);
}

std::shared_ptr<const pg::prepared> handler_sql::of(const std::string& sql) {
    if (const auto found = known_.find(sql); found != known_.end()) {
        return found->second;
    }
    const bool keep = known_.size() < prepared_most;
    auto made =
        std::make_shared<pg::prepared>("handler_" + std::to_string(known_.size()), in_schema(sql));
    made->text_rows = true;
    made->whole = !keep;
    if (keep) {
        known_.emplace(sql, made);
    }
    return made;
}

pg::params params_of(const statement& what) {
    pg::params with;
    for (const std::optional<std::string>& value : what.parameters) {
        with.text(value);
    }
    return with;
}

std::vector<bound_statement> bound_statements(const std::vector<statement>& all,
                                              handler_sql& texts) {
    std::vector<bound_statement> bound;
    bound.reserve(all.size());
    for (const statement& each : all) {
        bound.emplace_back(texts.of(each.sql), params_of(each));
    }
    return bound;
}

rows rows_of(const pg::result& answer) {
    std::vector<std::optional<std::string>> values;
    values.reserve(static_cast<std::size_t>(answer.rows()) *
                   static_cast<std::size_t>(answer.columns()));
    for (int row = 0; row < answer.rows(); ++row) {
        for (int column = 0; column < answer.columns(); ++column) {
            values.push_back(answer.optional_text(row, column));
        }
    }
    return rows{static_cast<std::size_t>(answer.columns()), std::move(values)};
}

}  // namespace libqueue::engine
