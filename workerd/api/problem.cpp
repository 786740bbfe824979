#include "problem.hpp"

#include "answer.hpp"

#include <boost/beast/http/status.hpp>

namespace workerd::api {

namespace {

constexpr int soon = 2;  // seconds until a database that is away is asked again

int status_of(libqueue::errc code) {
    using libqueue::errc;
    switch (code) {
        case errc::invalid_argument:
        case errc::invalid_payload:
            return 400;
        case errc::unknown_queue:
        case errc::not_found:
            return 404;
        case errc::payload_too_large:
            return 413;
        case errc::idempotency_conflict:
        case errc::conflict:
        case errc::lease_lost:
            return 409;
        case errc::schema_mismatch:
        case errc::unfit_server:
            return 503;
    }
    return 500;
}

}  // namespace

void refuse(int status, std::string code, std::string detail) {
    throw refused{problem{status, std::move(code), std::move(detail)}};
}

void refuse_value(std::string where, std::string expected, std::string got) {
    problem why{400, "invalid_argument", where + ": expected " + expected + ", got " + got};
    why.errors.emplace_back(std::move(where), std::move(expected), std::move(got));
    throw refused{std::move(why)};
}

void refuse_missing(std::string_view what) {
    refuse(404, "not_found", "no " + std::string{what});
}

problem problem_of(const libqueue::error& why) {
    problem made{status_of(why.code), std::string{libqueue::to_string(why.code)}, why.message};
    made.hint = why.hint;
    if (made.status == 503)
        made.retry_after = soon;
    return made;
}

problem problem_of(const libqueue::failure& why) {
    // query_canceled: the statement's own time was up.
    if (why.sqlstate() == "57014") {
        problem made{503, "too_wide", "the question takes the database too long"};
        made.hint = "narrow the filter: name a state, a queue, a kind or a time";
        made.retry_after = soon;
        return made;
    }
    if (why.sqlstate() == "42501")
        return problem{403, "forbidden", "the database does not allow this to your role"};
    if (why.poisons_connection() || why.retryable() || why.sqlstate().empty()) {
        problem made{503, "unavailable", "the database cannot be reached now"};
        made.hint = why.outcome_unknown()
                        ? "it may have been done: look before trying again, or send the request "
                          "with an Idempotency-Key"
                        : "try again";
        made.retry_after = soon;
        return made;
    }
    return problem{500, "internal", "the database refused a statement of ours"};
}

std::string status_title(int status) {
    const auto text =
        boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    return std::string{text.data(), text.size()};
}

std::string problem_text(const problem& why, std::string_view request_id) {
    std::string text = R"({"type":)" + json_string("urn:libqueue:problem:" + why.code) +
                       R"(,"title":)" + json_string(status_title(why.status)) + R"(,"status":)" +
                       std::to_string(why.status) + R"(,"detail":)" + json_string(why.detail) +
                       R"(,"code":)" + json_string(why.code);
    if (!why.hint.empty())
        text += R"(,"hint":)" + json_string(why.hint);
    text += R"(,"errors":[)";
    for (std::size_t i = 0; i < why.errors.size(); ++i) {
        const auto& each = why.errors[i];
        text += (i == 0 ? "" : ",") + (R"({"where":)" + json_string(each.where)) +
                R"(,"expected":)" + json_string(each.expected) + R"(,"got":)" +
                json_string(each.got) + '}';
    }
    return text + R"(],"request_id":)" + json_string(request_id) + '}';
}

}  // namespace workerd::api
