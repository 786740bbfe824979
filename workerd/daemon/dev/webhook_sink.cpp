#include "dev/webhook_sink.hpp"

#include "dev/sink_file.hpp"
#include "logging/line_format.hpp"
#include "net/listener.hpp"

#include <charconv>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace workerd {

namespace {

constexpr std::size_t body_bytes_max = 8 << 20;

http_limits sink_limits() {
    http_limits limits;
    limits.body_bytes = body_bytes_max;
    limits.header_bytes = 64 << 10;
    return limits;
}

unsigned status_of(std::string_view target) {
    constexpr std::string_view prefix = "/status/";
    unsigned status = 200;
    if (target.starts_with(prefix)) {
        const auto digits = target.substr(prefix.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), status);
    }
    return status >= 200 && status <= 599 ? status : 200;
}

std::string stored_text(const http_request& request, unsigned status) {
    const auto text = [](auto view) {
        return json_quoted({view.data(), view.size()}, body_bytes_max);
    };
    std::string out = "{\"method\":" + text(request.method_string()) +
                      ",\"target\":" + text(request.target()) +
                      ",\"status\":" + std::to_string(status) + ",\"headers\":{";
    bool is_first = true;
    for (const auto& field : request) {
        out += is_first ? "" : ",";
        out += text(field.name_string()) + ":" + text(field.value());
        is_first = false;
    }
    return out + "},\"body\":" + text(std::string_view{request.body()}) + "}\n";
}

}  // namespace

webhook_sink::webhook_sink(tasks& tasks, logger& log, std::filesystem::path folder,
                           unsigned short preferred_port)
    : log_{log},
      folder_{std::move(folder)},
      server_{tasks, listen_on_loopback(tasks.loop(), preferred_port), sink_limits(),
              with_peer([this](http_request request) { return take(std::move(request)); })} {}

boost::asio::awaitable<http_response> webhook_sink::take(http_request request) {
    const auto status = status_of({request.target().data(), request.target().size()});
    try {
        const auto path = write_sink_file(folder_, ".json", stored_text(request, status));
        log_.info("webhook_taken", "the development sink took a webhook",
                  {{"file", path.string()}, {"status", static_cast<int>(status)}});
    } catch (const std::exception& error) {
        log_.error("webhook_refused", "the development sink could not store a webhook",
                   {{"err.code", "io"}, {"err.msg", error.what()}});
        co_return json_response(500, R"({"error":"cannot store the request"})");
    }
    co_return json_response(status, R"({"taken":true})");
}

}  // namespace workerd
