#include "server/api_client.hpp"

#include "values.hpp"

#include <libqueue/version.hpp>

#include <curl/curl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <random>

namespace qctl {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view base_path = "/api/v1";
constexpr milliseconds default_timeout{10'000};
/// More than any page of ours; a server that sends more is not one.
constexpr std::size_t longest_body = std::size_t{256} << 20;
constexpr std::size_t longest_token = 16 << 10;
constexpr int page_size = 500;

class list_guard {
   public:
    list_guard() = default;
    ~list_guard() { curl_slist_free_all(head_); }
    list_guard(const list_guard&) = delete;
    list_guard& operator=(const list_guard&) = delete;

    void add(const std::string& line) { head_ = curl_slist_append(head_, line.c_str()); }
    [[nodiscard]] curl_slist* get() const noexcept { return head_; }

   private:
    curl_slist* head_{nullptr};
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
    auto& body = *static_cast<std::string*>(into);
    const auto bytes = size * count;
    if (body.size() + bytes > longest_body) {
        return 0;
    }
    body.append(data, bytes);
    return bytes;
}

void take_value(std::string_view line, std::string_view name, std::string& into) {
    const bool fits = line.size() > name.size() &&
                      std::ranges::equal(line.substr(0, name.size()), name, [](char a, char b) {
                          return std::tolower(static_cast<unsigned char>(a)) == b;
                      });
    if (fits) {
        auto value = line.substr(name.size());
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
        into = value;
    }
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* into) {
    auto& answer = *static_cast<api_answer*>(into);
    const std::string_view line{data, size * count};
    take_value(line, "x-request-id:", answer.request_id);
    take_value(line, "x-next-cursor:", answer.next_cursor);
    return size * count;
}

std::string fresh_key() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device source;
    std::string key = "qctl-";
    for (int i = 0; i < 32; ++i) {
        key += digits[source() % digits.size()];
    }
    return key;
}

// A whole address or `localhost`: 127.0.0.1.example.com is anybody's name.
bool is_loopback(std::string_view url) {
    auto host = url.substr(url.find("://") + 3);
    host = host.substr(0, host.find('/'));
    const bool bracketed = host.starts_with('[') && host.find(']') != std::string_view::npos;
    const auto port = bracketed ? host.find(']') + 1 : host.find(':');
    if (port < host.size() && host[port] != ':') {
        return false;
    }
    host = host.substr(0, port);
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const std::string name{host};
    in_addr four{};
    in6_addr six{};
    if (bracketed) {
        return ::inet_pton(AF_INET6, name.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
    }
    return name == "localhost" || (::inet_pton(AF_INET, name.c_str(), &four) == 1 &&
                                   ntohl(four.s_addr) >> 24U == IN_LOOPBACKNET);
}

// The server may have done it although its answer never came.
bool may_have_happened(CURLcode code) noexcept {
    return code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE ||
           code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR;
}

}  // namespace

class api_client::transfer {
   public:
    transfer(const settings& options, std::function<void(const std::string&)> tell)
        : url_{checked_server_url(options.server)},
          ca_file_{options.ca_file},
          timeout_{options.timeout.value_or(default_timeout)},
          tell_{std::move(tell)},
          handle_{curl_easy_init()} {
        if (!options.token_file.empty()) {
            token_ = read_token(options.token_file);
            if (url_.starts_with("http://") && !is_loopback(url_) && !options.may_send_in_clear) {
                throw usage("--server: expected https, got " + in_quotes(url_),
                            "everybody on the way could read the token; QCTL_INSECURE=1 sends it "
                            "all the same");
            }
        }
        if (handle_ == nullptr) {
            throw stop{exit_code::failed, "failed", "cannot set up libcurl"};
        }
    }
    ~transfer() { curl_easy_cleanup(handle_); }
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

    [[nodiscard]] const std::string& url() const noexcept { return url_; }

    api_answer send(const api_request& request) {
        const bool changes = request.method != "GET";
        const bool keyed = request.method == "POST" && !request.only_once;
        const std::string key = keyed ? fresh_key() : std::string{};
        auto answer = api_answer{};
        auto code = perform(request, key, answer);
        if (code != CURLE_OK && may_have_happened(code) && !key.empty()) {
            tell_("no answer (" + said(code) + "); sending it again under the same key");
            answer = api_answer{};
            code = perform(request, key, answer);
        }
        if (code != CURLE_OK) {
            throw fault(code, changes);
        }
        tell_(request.method + " " + request.path + ": " + std::to_string(answer.status) +
              (answer.request_id.empty() ? "" : ", request " + answer.request_id));
        return answer;
    }

   private:
    CURLcode perform(const api_request& request, const std::string& key, api_answer& answer) {
        curl_easy_reset(handle_);
        error_.fill('\0');
        const auto address = address_of(request);
        list_guard headers;
        add_headers(request, key, headers);
        set(CURLOPT_URL, address.c_str());
        set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
        set(CURLOPT_HTTPHEADER, headers.get());
        set(CURLOPT_ERRORBUFFER, error_.data());
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_FOLLOWLOCATION, 0L);
        if (url_.starts_with("http://")) {
            // A proxy of the environment would read the token; through https it sees none.
            set(CURLOPT_PROXY, "");
        }
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_CONNECTTIMEOUT_MS, count(std::min(timeout_, default_timeout)));
        set(CURLOPT_TIMEOUT_MS, count(timeout_));
        set(CURLOPT_WRITEFUNCTION, &take_body);
        set(CURLOPT_WRITEDATA, &answer.body);
        set(CURLOPT_HEADERFUNCTION, &take_header);
        set(CURLOPT_HEADERDATA, &answer);
        if (!ca_file_.empty()) {
            set(CURLOPT_CAINFO, ca_file_.c_str());
        }
        if (request.body) {
            set(CURLOPT_POSTFIELDS, request.body->c_str());
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
        }
        const auto code = curl_easy_perform(handle_);
        long status = 0;
        curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
        answer.status = static_cast<int>(status);
        return code;
    }

    template <typename Value>
    void set(CURLoption option, Value value) {
        curl_easy_setopt(handle_, option, value);
    }

    static long count(milliseconds time) noexcept {
        return static_cast<long>(std::max<milliseconds::rep>(1, time.count()));
    }

    [[nodiscard]] std::string address_of(const api_request& request) const {
        std::string address = url_ + std::string{base_path} + request.path;
        char mark = request.path.find('?') == std::string::npos ? '?' : '&';
        for (const auto& [name, value] : request.query) {
            address += mark + name + "=" + path_part(value);
            mark = '&';
        }
        return address;
    }

    void add_headers(const api_request& request, const std::string& key, list_guard& into) const {
        into.add("Accept: application/json, application/problem+json");
        into.add("User-Agent: qctl/" + std::string{libqueue::version});
        into.add("Expect:");
        if (!token_.empty()) {
            into.add("Authorization: Bearer " + token_);
        }
        if (request.body) {
            into.add("Content-Type: application/json");
        }
        if (!key.empty()) {
            into.add("Idempotency-Key: " + key);
        }
        if (request.if_match) {
            into.add("If-Match: " + *request.if_match);
        }
    }

    [[nodiscard]] std::string said(CURLcode code) const {
        return error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
    }

    [[nodiscard]] stop fault(CURLcode code, bool changes) const {
        const auto text = url_ + ": " + said(code);
        if (changes && may_have_happened(code)) {
            return stop{exit_code::failed, "outcome_unknown", text,
                        "it may or may not have happened: look before you repeat it"};
        }
        if (code == CURLE_OPERATION_TIMEDOUT) {
            return stop{exit_code::timed_out, "timed_out", text, "a longer --timeout may help"};
        }
        const bool certificate =
            code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
        return stop{exit_code::unreachable, "unreachable", text,
                    certificate ? "QCTL_CA_FILE, or ca_file of the context, names whom to trust"
                                : "check --server, QCTL_SERVER or the context, and that workerd "
                                  "listens there"};
    }

    std::string url_;
    std::string token_;
    std::string ca_file_;
    milliseconds timeout_;
    std::function<void(const std::string&)> tell_;
    CURL* handle_;
    std::array<char, CURL_ERROR_SIZE> error_{};
};

api_client::api_client(const settings& options, std::function<void(const std::string&)> tell)
    : transfer_{std::make_unique<transfer>(options, std::move(tell))} {}

api_client::~api_client() = default;

const std::string& api_client::url() const noexcept {
    return transfer_->url();
}

api_answer api_client::send(const api_request& request) {
    return transfer_->send(request);
}

libqueue::result<api_answer> api_client::ask(const api_request& request) {
    auto answer = transfer_->send(request);
    if (answer.status >= 200 && answer.status < 300) {
        return answer;
    }
    auto problem = read_problem(answer.status, answer.body);
    problem.request_id = problem.request_id.empty() ? answer.request_id : problem.request_id;
    if (auto known = domain_error(problem)) {
        // The id goes with the error: there is no other place for it in a list of results.
        if (!problem.request_id.empty()) {
            known->message += " (request " + problem.request_id + ")";
        }
        return std::move(*known);
    }
    throw to_stop(problem);
}

libqueue::result<libqueue::report> api_client::items(const api_request& request) {
    auto answer = ask(request);
    if (!answer) {
        return answer.error();
    }
    return read_page(answer->body).rows;
}

libqueue::result<api_page> api_client::pages(const api_request& request, int most,
                                             std::optional<std::string> cursor) {
    api_page all;
    all.cursor = std::move(cursor);
    do {
        auto page_request = request;
        const auto left = most - static_cast<int>(all.rows.rows.size());
        page_request.query.emplace_back("limit", std::to_string(std::min(left, page_size)));
        if (all.cursor) {
            page_request.query.emplace_back("cursor", *all.cursor);
        }
        auto answer = ask(page_request);
        if (!answer) {
            return answer.error();
        }
        auto page = read_page(answer->body);
        all.cursor = page.cursor;
        if (all.rows.columns.empty()) {
            all.rows = std::move(page.rows);
        } else {
            align_rows(all.rows, page.rows);
        }
    } while (all.cursor && static_cast<int>(all.rows.rows.size()) < most);
    return all;
}

libqueue::result<libqueue::report> api_client::list(const api_request& request, int most) {
    auto all = pages(request, most);
    if (!all) {
        return all.error();
    }
    if (all->cursor && !all->rows.rows.empty()) {
        all->rows.next = last_of_falling(all->rows);
    }
    return std::move(all->rows);
}

libqueue::result<libqueue::report> api_client::object(const api_request& request) {
    auto answer = ask(request);
    if (!answer) {
        return answer.error();
    }
    return read_object(answer->body);
}

std::string path_part(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    // A part that is dots alone would be taken for a step in the tree.
    if (out == "." || out == "..") {
        out = out.size() == 1 ? "%2E" : "%2E%2E";
    }
    return out;
}

std::string checked_server_url(std::string_view text) {
    while (text.ends_with('/')) {
        text.remove_suffix(1);
    }
    const bool known = text.starts_with("http://") || text.starts_with("https://");
    const auto host = known ? text.substr(text.find("://") + 3) : std::string_view{};
    if (host.empty() || text.find_first_of(" \t\r\n?#\\") != std::string_view::npos) {
        throw usage("--server: expected a URL such as https://queue.example.com, got " +
                    in_quotes(text));
    }
    if (host.find('@') != std::string_view::npos) {
        throw usage("--server: expected no user and password in the URL",
                    "put the token into a file and pass --token-file");
    }
    return std::string{text};
}

std::string read_token(const std::string& path) {
    const std::string where = "--token-file: " + path;
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
        throw usage(where + ": expected a file, got none",
                    "qctl tokens create ... > " + path + " makes one");
    }
    if (!S_ISREG(about.st_mode) || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw usage(where + ": expected a file only its owner may read", "chmod 600 " + path);
    }
    std::ifstream file{path};
    std::string token;
    std::getline(file, token);
    while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) {
        token.pop_back();
    }
    const bool fits = !token.empty() && token.size() <= longest_token &&
                      std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!fits) {
        throw usage(where + ": expected a token on the first line, got something else");
    }
    return token;
}

}  // namespace qctl
