#pragma once

#include "pg_cluster.hpp"
#include "query.hpp"

#include <string>
#include <vector>

namespace test {

/// A database of its own for one test case: created from a migrated template in some 50 ms,
/// dropped (cutting whoever is still connected) at the end. Nothing is shared, so nothing needs
/// cleaning and any number may exist at once.
class test_database {
   public:
    enum class content { migrated, empty };

    test_database() : test_database{pg_cluster::shared()} {}
    explicit test_database(content what) : test_database{pg_cluster::shared(), what} {}
    /// The cluster must outlive this.
    explicit test_database(pg_cluster& cluster, content what = content::migrated);
    ~test_database();
    test_database(const test_database&) = delete;
    test_database& operator=(const test_database&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string dsn() const { return cluster_.dsn(name_); }
    [[nodiscard]] pg_cluster& cluster() const noexcept { return cluster_; }

    /// Short for test::query(dsn(), ...) and its siblings.
    [[nodiscard]] std::string query(const std::string& sql, const parameters& params = {}) const;
    [[nodiscard]] std::vector<row> rows(const std::string& sql,
                                        const parameters& params = {}) const;
    void execute(const std::string& sql, const parameters& params = {}) const;

   private:
    pg_cluster& cluster_;
    std::string name_;
};

}  // namespace test
