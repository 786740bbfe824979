#pragma once

#include "pg/params.hpp"
#include "pg/pipeline.hpp"
#include "pg/result.hpp"

#include <libqueue/statement.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace libqueue::engine {

/// Handlers' statements by their text, so that each is prepared once per connection. Texts that
/// come and go (values written into them) are beyond some number sent whole. Loop thread only.
class handler_sql {
   public:
    /// References to the queue are rewritten for this schema.
    explicit handler_sql(std::string schema) : schema_{std::move(schema)} {}
    /// As a server of this schema must read it.
    [[nodiscard]] std::string in_schema(const std::string& sql) const;
    /// Its rows are in text format.
    [[nodiscard]] std::shared_ptr<const pg::prepared> of(const std::string& sql);

   private:
    std::string schema_;
    std::map<std::string, std::shared_ptr<const pg::prepared>, std::less<>> known_;
};

/// A statement ready to be sent.
class bound_statement {
   public:
    bound_statement(std::shared_ptr<const pg::prepared> what_, pg::params with_)
        : what{std::move(what_)}, with{std::move(with_)} {}
    std::shared_ptr<const pg::prepared> what;
    pg::params with;
};

/// Throws domain_failure (invalid_argument) for a text that PostgreSQL cannot take.
[[nodiscard]] pg::params params_of(const statement& what);
[[nodiscard]] std::vector<bound_statement> bound_statements(const std::vector<statement>& all,
                                                            handler_sql& texts);
/// Of a result in text format.
[[nodiscard]] rows rows_of(const pg::result& answer);

}  // namespace libqueue::engine
