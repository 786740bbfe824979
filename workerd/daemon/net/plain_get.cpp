#include "net/plain_get.hpp"

namespace workerd {

std::optional<std::string> plain_get_path(const http_request& request) {
    namespace http = boost::beast::http;
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        return std::nullopt;
    const std::string target{request.target().data(), request.target().size()};
    return target.substr(0, target.find('?'));
}

http_response plain_get_only() {
    return json_response(405, R"({"error":"only GET"})");
}

http_response no_such_page() {
    return json_response(404, R"({"error":"not found"})");
}

}  // namespace workerd
