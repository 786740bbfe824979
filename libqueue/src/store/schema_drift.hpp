#pragma once

#include <string>
#include <string_view>
#include <vector>

// What a database lacks of the schema this build knows, or has otherwise. Pure.

namespace libqueue::store {

class schema_object {
   public:
    schema_object(std::string what_, std::string name_, std::string body_ = {})
        : what{std::move(what_)}, name{std::move(name_)}, body{std::move(body_)} {}
    std::string what;  ///< table, column, view, index, constraint, function
    std::string name;
    std::string body;  ///< of a function, as written; empty: not compared
};

/// The objects of a schema as sql/schema.sql lists them, partitions left out: those come and go.
[[nodiscard]] std::vector<schema_object> read_schema_dump(std::string_view dump,
                                                          std::string_view schema);

/// One sentence each for what is missing or differs. What `live` has beyond `expected` is no drift.
[[nodiscard]] std::vector<std::string> find_drift(const std::vector<schema_object>& expected,
                                                  const std::vector<schema_object>& live);

}  // namespace libqueue::store
