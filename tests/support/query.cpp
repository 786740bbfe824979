#include "query.hpp"

#include <libpq-fe.h>

namespace test {

namespace {

class result_closer {
   public:
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using result_ptr = std::unique_ptr<PGresult, result_closer>;

result_ptr run(PGconn* conn, const std::string& sql, const parameters& params) {
    result_ptr result;
    if (params.empty()) {
        result.reset(PQexec(conn, sql.c_str()));
    } else {
        std::vector<const char*> values;
        for (const auto& param : params) {
            values.push_back(param ? param->c_str() : nullptr);
        }
        result.reset(PQexecParams(conn, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                  values.data(), nullptr, nullptr, 0));
    }
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        throw sql_error{PQerrorMessage(conn) + ("\nin: " + sql), state == nullptr ? "" : state};
    }
    return result;
}

}  // namespace

void connection::closer::operator()(pg_conn* conn) const noexcept {
    PQfinish(conn);
}

connection::connection(const std::string& dsn) : conn_{PQconnectdb(dsn.c_str())} {
    if (PQstatus(conn_.get()) != CONNECTION_OK) {
        throw sql_error{PQerrorMessage(conn_.get()), ""};
    }
    // Notices on a test's stderr hide what matters.
    PQsetNoticeProcessor(
        conn_.get(), [](void*, const char*) {}, nullptr);
}

std::vector<row> connection::rows(const std::string& sql, const parameters& params) {
    const auto result = run(conn_.get(), sql, params);
    std::vector<row> all;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
        row one;
        for (int j = 0; j < PQnfields(result.get()); ++j) {
            if (PQgetisnull(result.get(), i, j) != 0) {
                one.emplace_back();
            } else {
                one.emplace_back(PQgetvalue(result.get(), i, j));
            }
        }
        all.push_back(std::move(one));
    }
    return all;
}

std::string connection::query(const std::string& sql, const parameters& params) {
    const auto all = rows(sql, params);
    return all.empty() || all.front().empty() ? "" : all.front().front().value_or("");
}

void connection::execute(const std::string& sql, const parameters& params) {
    run(conn_.get(), sql, params);
}

std::string query(const std::string& dsn, const std::string& sql, const parameters& params) {
    return connection{dsn}.query(sql, params);
}

std::vector<row> rows(const std::string& dsn, const std::string& sql, const parameters& params) {
    return connection{dsn}.rows(sql, params);
}

void execute(const std::string& dsn, const std::string& sql, const parameters& params) {
    connection{dsn}.execute(sql, params);
}

}  // namespace test
