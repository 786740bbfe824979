#include "bench/harness.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace bench {

double seconds_between(clock::time_point from, clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

arguments::arguments(int count, char** values) {
    for (int at = 0; at < count; ++at) {
        const std::string name = values[at];
        if (!name.starts_with("--")) {
            throw std::runtime_error{"expected --name, got '" + name + "'"};
        }
        const bool has_value = at + 1 < count && !std::string{values[at + 1]}.starts_with("--");
        values_[name.substr(2)] = has_value ? values[++at] : "";
    }
}

std::string arguments::text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
        throw std::runtime_error{"expected --" + name};
    }
    return found->second;
}

std::string arguments::text_or(const std::string& name, const std::string& otherwise) const {
    return flag(name) ? text(name) : otherwise;
}

std::int64_t arguments::number(const std::string& name) const {
    const std::string value = text(name);
    try {
        return std::stoll(value);
    } catch (const std::logic_error&) {
        throw std::runtime_error{"--" + name + ": expected a number, got '" + value + "'"};
    }
}

std::int64_t arguments::number_or(const std::string& name, std::int64_t otherwise) const {
    return flag(name) ? number(name) : otherwise;
}

rows checked(PGconn* connection, PGresult* result) {
    rows owned{result};
    switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_COPY_IN:
            return owned;
        case PGRES_EMPTY_QUERY:
        case PGRES_COPY_OUT:
        case PGRES_BAD_RESPONSE:
        case PGRES_NONFATAL_ERROR:
        case PGRES_FATAL_ERROR:
        case PGRES_COPY_BOTH:
        case PGRES_SINGLE_TUPLE:
        case PGRES_PIPELINE_SYNC:
        case PGRES_PIPELINE_ABORTED:
            break;
    }
    throw std::runtime_error{PQerrorMessage(connection)};
}

session::session(const std::string& dsn) : connection_{PQconnectdb(dsn.c_str())} {
    if (PQstatus(connection_) != CONNECTION_OK) {
        const std::string why = PQerrorMessage(connection_);
        PQfinish(connection_);
        throw std::runtime_error{why};
    }
    exec("SET client_min_messages = warning");
}

session::~session() {
    PQfinish(connection_);
}

void session::exec(const std::string& sql) {
    (void)checked(connection_, PQexec(connection_, sql.c_str()));
}

std::int64_t session::number(const std::string& sql) {
    const rows answer = checked(connection_, PQexec(connection_, sql.c_str()));
    return std::stoll(PQgetvalue(answer.get(), 0, 0));
}

void session::prepare(const std::string& name, const std::string& sql) {
    (void)checked(connection_, PQprepare(connection_, name.c_str(), sql.c_str(), 0, nullptr));
}

rows session::run(const std::string& name, std::initializer_list<const char*> values) {
    return checked(connection_,
                   PQexecPrepared(connection_, name.c_str(), static_cast<int>(values.size()),
                                  values.begin(), nullptr, nullptr, 0));
}

old_snapshot::old_snapshot(const std::string& dsn) : session_{dsn} {
    session_.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
    (void)session_.number("SELECT pg_current_xact_id()::text::bigint");
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::int64_t wal_position(session& db) {
    return db.number("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint");
}

std::string payload(std::int64_t number) {
    constexpr std::size_t size = 110;
    std::string text = R"({"to": "buyer@example.com", "order": )" + std::to_string(number) +
                       R"(, "template": "purchase_confirmation", "ref": ")";
    text.resize(size - 2, 'x');
    return text + "\"}";
}

double percentile(std::vector<double>& values, double share) {
    if (values.empty()) {
        throw std::runtime_error{"no values to take a percentile of"};
    }
    std::sort(values.begin(), values.end());
    const auto rank = std::ceil(share * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

boost::json::object summary(std::vector<double> milliseconds) {
    boost::json::object made;
    made["p50_ms"] = percentile(milliseconds, 0.50);
    made["p90_ms"] = percentile(milliseconds, 0.90);
    made["p99_ms"] = percentile(milliseconds, 0.99);
    made["max_ms"] = milliseconds.back();
    made["count"] = milliseconds.size();
    return made;
}

}  // namespace bench
