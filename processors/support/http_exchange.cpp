#include "processors/support/http_exchange.hpp"

#include "processors/support/text_rules.hpp"

#include <libqueue/version.hpp>

#include <sys/socket.h>

#include <new>
#include <string>

namespace libqueue::processors {

namespace {

constexpr std::size_t most_headers = 64;
constexpr std::size_t longest_header = 1024;
constexpr long connect_timeout_ms = 10'000;

}  // namespace

http_exchange::http_exchange(const boost::asio::any_io_executor& executor,
                             const http_request& request)
    : waker{executor}, request_{request}, easy_{curl_easy_init()} {
    if (!easy_) {
        throw std::bad_alloc{};
    }
    set_up();
}

void http_exchange::set_up() {
    CURL* const easy = easy_.get();
    for (const auto& line : request_.headers) {
        headers_.append(line);
    }
    const auto set = [easy](CURLoption option, auto value) {
        if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) {
            throw std::bad_alloc{};
        }
    };
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    // Without it, giving up during a slow name resolution joins the resolver's thread on the loop.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);

    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, request_.allow_http ? "http,https" : "https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    // HTTP/2 where the server offers it within TLS (ALPN), else 1.1.
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_HTTP09_ALLOWED, 0L);
    // A proxy from the environment would connect for us, past the address check.
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_OPENSOCKETFUNCTION, &http_exchange::on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);

    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!request_.ca_file.empty()) {
        set(CURLOPT_CAINFO, request_.ca_file.c_str());
        // Else the system's directory of certificates would be trusted as well.
        set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }

    set_up_message(easy);
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, ("libqueue/" + std::string{libqueue::version}).c_str());
    set(CURLOPT_HEADERFUNCTION, &http_exchange::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &http_exchange::on_body);
    set(CURLOPT_WRITEDATA, this);
}

void http_exchange::set_up_message(CURL* easy) {
    const auto set = [easy](CURLoption option, auto value) {
        if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) {
            throw std::bad_alloc{};
        }
    };
    const bool bare =
        request_.method == "GET" || (request_.method == "DELETE" && request_.body.empty());
    if (bare) {
        set(CURLOPT_HTTPGET, 1L);
    } else {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDS, request_.body.c_str());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    }
    if (!request_.may_repeat) {
        set(CURLOPT_FRESH_CONNECT, 1L);
    }
    if (request_.method != "GET" && request_.method != "POST") {
        set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    }
}

std::size_t http_exchange::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& response = static_cast<http_exchange*>(self)->response_;
    std::string_view line{data, size * count};
    while (line.ends_with('\n') || line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.starts_with("HTTP/")) {
        response.headers.clear();  // an interim response (1xx) came before
        return size * count;
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && response.headers.size() < most_headers) {
        response.headers.emplace_back(
            to_lower(line.substr(0, colon)),
            std::string{trimmed(line.substr(colon + 1)).substr(0, longest_header)});
    }
    return size * count;
}

std::size_t http_exchange::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<http_exchange*>(self);
    const auto room = exchange.request_.body_limit - exchange.response_.body.size();
    exchange.response_.body.append(data, std::min(room, size * count));
    if (size * count <= room) {
        return size * count;
    }
    exchange.cut_off_ = true;
    return 0;  // libcurl closes the connection: whatever else comes is not worth reading
}

curl_socket_t http_exchange::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto& exchange = *static_cast<http_exchange*>(self);
    ++exchange.tried_addresses_;
    if (exchange.request_.addresses == address_policy::public_only &&
        !address_is_public(address->addr)) {
        ++exchange.refused_addresses_;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->protocol);
}

void http_exchange::finish(CURLcode code) noexcept {
    finished_ = true;
    code_ = code;
    waker.cancel();
}

void http_exchange::stop() noexcept {
    if (!finished_) {
        stopped_ = true;
        waker.cancel();
    }
}

http_response http_exchange::take_response() {
    response_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - started_);
    note_whether_sent();
    if (!finished_) {
        response_.end = stopped_ ? http_end::stopped : http_end::timed_out;
        response_.error = stopped_ ? "stopped" : "timed out";
        return std::move(response_);
    }
    if (easy_) {
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &response_.status);
    }
    if (code_ == CURLE_OK || (cut_off_ && code_ == CURLE_WRITE_ERROR)) {
        response_.end = http_end::answered;
        return std::move(response_);
    }
    classify_failure();
    return std::move(response_);
}

void http_exchange::note_whether_sent() {
    // Bytes of all requests written for this transfer, also on a connection that was then lost.
    long written = 0;
    if (easy_ && curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &written) == CURLE_OK) {
        response_.sent = written > 0;
    }
}

void http_exchange::classify_failure() {
    if (refused_addresses_ > 0 && refused_addresses_ == tried_addresses_) {
        response_.end = http_end::address_refused;
        response_.error = "the host's address is not a public one";
        return;
    }
    response_.error = curl_easy_strerror(code_);
    if (error_text_.front() != '\0') {
        response_.error += ": ";
        response_.error += error_text_.data();
    }
    switch (code_) {
        case CURLE_OPERATION_TIMEDOUT:
            response_.end = http_end::timed_out;
            break;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_LOGIN_DENIED:  // a user name in the URL
            response_.end = http_end::bad_url;
            break;
        default:
            response_.end = http_end::failed;
            break;
    }
}

}  // namespace libqueue::processors
