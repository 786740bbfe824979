#include "server/asking.hpp"

#include "instant.hpp"
#include "values.hpp"

#include <limits>
#include <utility>

namespace qctl {

api_request posting(std::string path, std::string body) {
    api_request request{"POST", std::move(path)};
    if (!body.empty() && body != "{}") {
        request.body = std::move(body);
    }
    return request;
}

void add(api_request& to, std::string_view name, const std::optional<std::string>& value) {
    if (value) {
        to.query.emplace_back(name, *value);
    }
}

void add(api_request& to, std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) {
        to.query.emplace_back(name, std::to_string(*value));
    }
}

void add(api_request& to, std::string_view name, const std::optional<libqueue::time_point>& value) {
    if (value) {
        to.query.emplace_back(name, iso_instant(*value));
    }
}

libqueue::result<void> done(const libqueue::result<api_answer>& answer) {
    return answer ? libqueue::result<void>{} : answer.error();
}

std::int64_t number_of(const libqueue::report& row, std::string_view name) {
    const auto text = field_of(row, name);
    return text ? read_integer(*text, name, 0, std::numeric_limits<std::int64_t>::max()) : 0;
}

bool truth_of(const libqueue::report& row, std::string_view name) {
    return field_of(row, name) == "true";
}

}  // namespace qctl
