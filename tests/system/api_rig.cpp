#include "api_rig.hpp"

#include "support/wait_until.hpp"

#include <libqueue/access.hpp>
#include <libqueue/client.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace test {

namespace asio = boost::asio;

namespace {

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return text;
}

std::string address_of(const process& workerd) {
    const auto text = workerd.errors();
    const std::string event{"\"event\":\"http_listening\""};
    const auto line = text.find(event);
    if (line == std::string::npos)
        throw std::runtime_error{"workerd serves no HTTP: " + text};
    const std::string name{"\"address\":\""};
    const auto begin = text.find(name, line) + name.size();
    return text.substr(begin, text.find('"', begin) - begin);
}

std::string unchunked(const std::string& body) {
    std::string out;
    std::size_t at = 0;
    while (at < body.size()) {
        const auto length = std::stoul(body.substr(at), nullptr, 16);
        at = body.find("\r\n", at) + 2;
        out += body.substr(at, length);
        at += length + 2;
        if (length == 0)
            break;
    }
    return out;
}

}  // namespace

std::string api_reply::header(const std::string& name) const {
    const auto found = headers.find(lower(name));
    return found == headers.end() ? std::string{} : found->second;
}

boost::json::value api_reply::json() const {
    boost::system::error_code error;
    auto value = boost::json::parse(body, error);
    if (error)
        throw std::runtime_error{"not JSON: " + body.substr(0, 200)};
    return value;
}

std::string api_reply::text(const std::string& member) const {
    const auto value = json();
    const auto* found = value.is_object() ? value.as_object().if_contains(member) : nullptr;
    if (found == nullptr || !found->is_string())
        return {};
    return std::string{found->as_string()};
}

api_reply parse_reply(const std::string& bytes) {
    api_reply reply;
    const auto end = bytes.find("\r\n\r\n");
    if (!bytes.starts_with("HTTP/1.1 ") || end == std::string::npos)
        return reply;
    reply.status = std::stoi(bytes.substr(9, 3));
    auto at = bytes.find("\r\n") + 2;
    while (at < end + 2) {
        const auto line_end = bytes.find("\r\n", at);
        const auto colon = bytes.find(':', at);
        reply.headers[lower(bytes.substr(at, colon - at))] =
            bytes.substr(colon + 2, line_end - colon - 2);
        at = line_end + 2;
    }
    reply.body = bytes.substr(end + 4);
    if (reply.header("transfer-encoding") == "chunked")
        reply.body = unchunked(reply.body);
    return reply;
}

api_rig::api_rig(const std::string& more_config) {
    const auto config = write_config(more_config);
    workerd_ = std::make_unique<process>(
        process_options{binary("workerd"), {"--config", config.string()}});
    if (!workerd_->wait_for_text("worker_ready", std::chrono::seconds{30}))
        throw std::runtime_error{"workerd did not start: " + workerd_->errors()};
    address_ = address_of(*workerd_);
}

std::filesystem::path api_rig::write_config(const std::string& more) const {
    return folder_.write(
        "w.yaml",
        "database: {dsn: \"" + db_.dsn() + "\"}\nqueues: {default: {concurrency: 4}}\n" +
            (more.find("processors:") == std::string::npos ? "processors: {debug: true}\n" : "") +
            (more.find("http:") == std::string::npos
                 ? "http: {listen: \"127.0.0.1:0\", rate_limits: {token: 100000/s, "
                   "address: 100000/s}}\n"
                 : "") +
            more);
}

std::size_t api_rig::count(const std::string& event) const {
    const auto text = workerd_->errors();
    const auto wanted = "\"event\":\"" + event + '"';
    std::size_t found = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1))
        ++found;
    return found;
}

bool api_rig::reload(const std::string& more_config) const {
    const auto ends = [this] {
        return count("config_reloaded") + count("config_refused");
    };
    const auto accepted = count("config_reloaded");
    const auto before = ends();
    static_cast<void>(write_config(more_config));
    workerd_->signal(SIGHUP);
    if (!wait_until([&] { return ends() > before; }))
        throw std::runtime_error{"no reload: " + workerd_->errors()};
    // It is logged within the reload: what comes next on the loop comes after it.
    static_cast<void>(raw("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    return count("config_reloaded") > accepted;
}

std::string api_rig::tenant(const std::string& name) const {
    libqueue::client client{libqueue::client_options{db_.dsn()}};
    return libqueue::access_control{client}.create_tenant(name).value();
}

std::string api_rig::token(libqueue::role role, const std::optional<std::string>& tenant,
                           std::optional<std::chrono::seconds> ttl) const {
    static std::atomic<int> number{0};
    libqueue::client client{libqueue::client_options{db_.dsn()}};
    libqueue::token_options wanted;
    wanted.role = role;
    wanted.tenant_id = tenant;
    wanted.ttl = ttl;
    wanted.name = "t" + std::to_string(++number);
    return libqueue::access_control{client}.create_token(wanted).value().text;
}

std::string api_rig::raw(const std::string& bytes) const {
    asio::io_context io;
    asio::ip::tcp::socket socket{io};
    const auto colon = address_.rfind(':');
    const auto port = static_cast<unsigned short>(std::stoi(address_.substr(colon + 1)));
    socket.connect({asio::ip::make_address(address_.substr(0, colon)), port});
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
}

api_reply api_rig::ask(const api_request& request) const {
    std::string bytes = request.method + " /api/v1" + request.target + " HTTP/1.1\r\nHost: x\r\n" +
                        "Connection: close\r\n";
    if (!request.token.empty())
        bytes += "Authorization: Bearer " + request.token + "\r\n";
    const bool has_type = std::ranges::any_of(
        request.headers, [](const auto& each) { return lower(each.first) == "content-type"; });
    if (!request.body.empty() && !has_type)
        bytes += "Content-Type: application/json\r\n";
    for (const auto& [name, value] : request.headers)
        bytes += name + ": " + value + "\r\n";
    bytes += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
    return parse_reply(raw(bytes));
}

}  // namespace test
