#include "server/api_report.hpp"

#include "faults.hpp"
#include "instant.hpp"
#include "json_members.hpp"
#include "printable.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>

namespace qctl {

namespace {

using libqueue::column_type;
using libqueue::errc;
using libqueue::report;

// Documents of users, which may be of any JSON type.
constexpr std::array<std::string_view, 4> documents{"payload", "output", "meta", "result"};

stop not_ours(std::string_view body) {
    return stop{exit_code::failed, "bad_answer",
                "expected an answer of the queue's API, got " + in_quotes(body),
                "is --server the URL of a workerd?"};
}

bool is_document(std::string_view name) noexcept {
    return std::ranges::find(documents, name) != documents.end();
}

// PostgreSQL's own text of a time would be a text to a reader of JSON; so is this, but sortable.
bool is_time(const std::string& text) {
    constexpr std::size_t shortest = 20;  // 2026-01-31T08:00:00Z
    return text.size() >= shortest && text[4] == '-' && text[10] == 'T' && read_instant(text);
}

column_type type_of(std::string_view name, std::string_view raw) {
    if (is_document(name) && name != "result") {
        return column_type::json;
    }
    switch (raw.front()) {
        case '"':
            return is_time(json_text(raw).value_or("")) ? column_type::time : column_type::text;
        case '{':
        case '[':
            return column_type::json;
        case 't':
        case 'f':
            return column_type::boolean;
        default:
            return raw.find_first_of(".eE") == std::string_view::npos ? column_type::integer
                                                                      : column_type::number;
    }
}

column_type wider(column_type one, column_type other) noexcept {
    const auto number = [](column_type type) {
        return type == column_type::integer || type == column_type::number;
    };
    if (one == other) {
        return one;
    }
    if (number(one) && number(other)) {
        return column_type::number;
    }
    const auto texts = [](column_type type) {
        return type == column_type::text || type == column_type::time;
    };
    return texts(one) && texts(other) ? column_type::text : column_type::json;
}

class table_builder {
   public:
    void add(std::string_view object) {
        const auto members = json_members(object);
        if (!members) {
            throw not_ours(object);
        }
        auto& row = raw_.emplace_back();
        for (const auto& member : *members) {
            const auto at = place_of(member.name);
            row.resize(std::max(row.size(), at + 1));
            if (member.value != "null") {
                row[at] = member.value;
                const auto type = type_of(member.name, member.value);
                types_[at] = types_[at] ? wider(*types_[at], type) : type;
            }
        }
    }

    [[nodiscard]] report done() const {
        report result;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            result.columns.emplace_back(names_[i], types_[i].value_or(column_type::text));
        }
        for (const auto& raw : raw_) {
            auto& row = result.rows.emplace_back(names_.size());
            for (std::size_t i = 0; i < raw.size(); ++i) {
                row[i] =
                    raw[i] ? std::optional{cell(result.columns[i].type, *raw[i])} : std::nullopt;
            }
        }
        return result;
    }

   private:
    std::size_t place_of(const std::string& name) {
        const auto found = std::ranges::find(names_, name);
        if (found != names_.end()) {
            return static_cast<std::size_t>(found - names_.begin());
        }
        names_.push_back(name);
        types_.emplace_back();
        return names_.size() - 1;
    }

    static std::string cell(column_type type, std::string_view raw) {
        const bool is_text = type == column_type::text || type == column_type::time;
        return is_text ? json_text(raw).value_or(std::string{raw}) : std::string{raw};
    }

    std::vector<std::string> names_;
    std::vector<std::optional<column_type>> types_;
    std::vector<std::vector<std::optional<std::string_view>>> raw_;
};

std::string text_of(const std::vector<json_member>& members, std::string_view name) {
    for (const auto& member : members) {
        if (member.name == name) {
            return json_text(member.value).value_or("");
        }
    }
    return {};
}

// `: limit: expected 1 to 500, got 900` of each error of the problem.
std::string faults_of(const std::vector<json_member>& members) {
    std::string text;
    for (const auto& member : members) {
        const auto errors = member.name == "errors" ? json_elements(member.value) : std::nullopt;
        for (const auto& each : errors.value_or(std::vector<std::string_view>{})) {
            const auto parts = json_members(each).value_or(std::vector<json_member>{});
            const auto where = text_of(parts, "where");
            text += (text.empty() ? "" : "; ") + where + (where.empty() ? "" : ": ") + "expected " +
                    text_of(parts, "expected") + ", got " + text_of(parts, "got");
        }
    }
    return text;
}

constexpr std::array all_codes{
    errc::invalid_argument, errc::unknown_queue,   errc::payload_too_large,
    errc::not_found,        errc::conflict,        errc::idempotency_conflict,
    errc::lease_lost,       errc::invalid_payload, errc::schema_mismatch,
    errc::unfit_server,
};

exit_code exit_of(int status) noexcept {
    switch (status) {
        case 400:
        case 411:
        case 413:
        case 414:
        case 415:
        case 422:
        case 431:
            return exit_code::usage;
        case 401:
        case 403:
            return exit_code::not_authenticated;
        case 404:
        case 410:
            return exit_code::not_found;
        case 409:
        case 412:
        case 428:
            return exit_code::refused;
        case 408:
            return exit_code::timed_out;
        case 502:
        case 503:
        case 504:
            return exit_code::unreachable;
        default:
            return exit_code::failed;
    }
}

std::string hint_of(const api_problem& of) {
    switch (of.status) {
        case 401:
            return "pass --token-file or set QCTL_TOKEN_FILE; qctl tokens create makes a token";
        case 403:
            return "qctl tokens whoami shows the rights of the token";
        case 405:
        case 501:
            return "this server does not offer that; qctl version and qctl tokens whoami show "
                   "versions";
        case 429:
            return "too many requests: wait a moment";
        case 503:
            return of.code == "too_wide" ? "narrow the filter" : "try again in a moment";
        default:
            return {};
    }
}

}  // namespace

api_page read_page(std::string_view body) {
    api_page page;
    auto items = json_elements(body);
    if (!items) {
        const auto members = json_members(body);
        if (!members) {
            throw not_ours(body);
        }
        for (const auto& member : *members) {
            if (member.name == "items") {
                items = json_elements(member.value);
            } else if (member.name == "next") {
                page.cursor = json_text(member.value);
            }
        }
    }
    if (!items) {
        throw not_ours(body);
    }
    table_builder table;
    for (const auto& item : *items) {
        table.add(item);
    }
    page.rows = table.done();
    return page;
}

report read_object(std::string_view body) {
    table_builder table;
    table.add(body);
    return table.done();
}

std::optional<std::string> field_of(const report& row, std::string_view name) {
    for (std::size_t i = 0; i < row.columns.size(); ++i) {
        if (row.columns[i].name == name && !row.rows.empty()) {
            return row.rows[0][i];
        }
    }
    return std::nullopt;
}

void align_rows(report& all, const report& page) {
    std::vector<std::size_t> places;
    for (const auto& column : page.columns) {
        auto found = std::ranges::find(all.columns, column.name, &libqueue::column::name);
        if (found == all.columns.end()) {
            all.columns.push_back(column);
            found = std::prev(all.columns.end());
        }
        found->type = wider(found->type, column.type);
        places.push_back(static_cast<std::size_t>(found - all.columns.begin()));
    }
    for (auto& row : all.rows) {
        row.resize(all.columns.size());
    }
    for (const auto& from : page.rows) {
        auto& row = all.rows.emplace_back(all.columns.size());
        for (std::size_t i = 0; i < from.size(); ++i) {
            row[places[i]] = from[i];
        }
    }
}

std::optional<libqueue::job_id> last_of_falling(const report& of) {
    const auto found = std::ranges::find(of.columns, "id", &libqueue::column::name);
    if (found == of.columns.end() || found->type != libqueue::column_type::integer) {
        return std::nullopt;
    }
    const auto at = static_cast<std::size_t>(found - of.columns.begin());
    std::optional<libqueue::job_id> last;
    for (const auto& row : of.rows) {
        const auto id = read_id(row[at].value_or(""), "id");
        if (last && id >= *last) {
            return std::nullopt;
        }
        last = id;
    }
    return last;
}

api_problem read_problem(int status, std::string_view body) {
    api_problem problem;
    problem.status = status;
    const auto members = json_members(body).value_or(std::vector<json_member>{});
    problem.code = text_of(members, "code");
    problem.request_id = text_of(members, "request_id");
    const auto detail = text_of(members, "detail");
    const auto faults = faults_of(members);
    problem.message = detail.empty() ? text_of(members, "title") : detail;
    if (!faults.empty() && problem.message.find(faults) == std::string::npos) {
        problem.message += (problem.message.empty() ? "" : ": ") + faults;
    }
    if (problem.message.empty()) {
        problem.message = "the server answered " + std::to_string(status);
    }
    return problem;
}

std::optional<libqueue::error> domain_error(const api_problem& of) {
    if (of.status == 401 || of.status == 403 || of.status == 429 || of.status >= 500) {
        return std::nullopt;
    }
    for (const auto code : all_codes) {
        if (of.code == libqueue::to_string(code)) {
            return libqueue::error{code, of.message};
        }
    }
    switch (exit_of(of.status)) {
        case exit_code::usage:
            return libqueue::error{errc::invalid_argument, of.message};
        case exit_code::not_found:
            return libqueue::error{errc::not_found, of.message};
        case exit_code::refused:
            return libqueue::error{errc::conflict, of.message};
        default:
            return std::nullopt;
    }
}

stop to_stop(const api_problem& of) {
    const auto known = domain_error(of);
    auto exit = known ? exit_for(known->code) : exit_of(of.status);
    // A page that would take too long is no server that is away.
    exit = of.code == "too_wide" ? exit_code::timed_out : exit;
    stop why{exit, of.code.empty() ? "http_" + std::to_string(of.status) : of.code, of.message,
             known ? to_stop(*known).hint : hint_of(of)};
    why.request_id = of.request_id;
    return why;
}

}  // namespace qctl
