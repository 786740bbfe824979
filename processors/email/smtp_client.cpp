#include "processors/email/smtp_client.hpp"

#include "processors/support/curl_list.hpp"
#include "processors/support/text_rules.hpp"

#include <curl/curl.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <set>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t most_idle_sessions = 16;

std::string url_of(const options& given) {
    const bool literal = given.host.find(':') != std::string::npos;
    std::string url{given.tls == tls_mode::tls ? "smtps://" : "smtp://"};
    url += literal ? "[" + given.host + "]" : given.host;
    url += ":" + std::to_string(given.port);
    if (!given.helo_name.empty()) {
        url += "/" + given.helo_name;
    }
    return url;
}

}  // namespace

/// A libcurl handle with its connection. Reused by one call at a time.
class smtp_client::session {
   public:
    session() : easy_{curl_easy_init()} {
        if (easy_ == nullptr) {
            throw std::bad_alloc{};
        }
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() {
        // libcurl says QUIT and waits up to two minutes for the answer; nobody needs it.
        for (const int socket : sockets_) {
            ::shutdown(socket, SHUT_RD);
        }
        curl_easy_cleanup(easy_);
    }

    smtp_report send(const options& given, const std::string& url, const envelope& mail,
                     const secret& bearer, const std::stop_token& stop,
                     std::chrono::milliseconds timeout) {
        smtp_report report{mail.recipients.size()};
        curl_list recipients;
        for (const auto& address : mail.recipients) {
            recipients.append("<" + address + ">");
        }
        report_ = &report;
        stop_ = &stop;
        left_ = mail.message;
        error_text_.front() = '\0';
        curl_easy_reset(easy_);  // options only: connections stay
        set_connection(given, url, timeout);
        set_login(given, bearer);
        set_message(mail, recipients.get());
        const auto code = curl_easy_perform(easy_);
        if (code == CURLE_ABORTED_BY_CALLBACK) {
            report.stopped = true;
        }
        if (code != CURLE_OK) {
            report.error = curl_easy_strerror(code);
            if (error_text_.front() != '\0') {
                report.error += ": ";
                report.error += error_text_.data();
            }
            report.error = with_addresses_masked(report.error);
        }
        curl_easy_reset(easy_);  // forgets the password and the pointers into this call
        report_ = nullptr;
        stop_ = nullptr;
        return report;
    }

   private:
    template <typename Value>
    void set(CURLoption option, Value value) {
        if (curl_easy_setopt(easy_, option, value) == CURLE_OUT_OF_MEMORY) {
            throw std::bad_alloc{};
        }
    }

    void set_connection(const options& given, const std::string& url,
                        std::chrono::milliseconds timeout) {
        set(CURLOPT_URL, url.c_str());
        set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_ERRORBUFFER, error_text_.data());
        set(CURLOPT_PROXY, "");
        set(CURLOPT_NOPROXY, "*");
        set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
        set(CURLOPT_OPENSOCKETFUNCTION, &session::on_open_socket);
        set(CURLOPT_OPENSOCKETDATA, this);
        set(CURLOPT_CLOSESOCKETFUNCTION, &session::on_close_socket);
        set(CURLOPT_CLOSESOCKETDATA, this);

        const auto use = given.tls == tls_mode::none ? CURLUSESSL_NONE : CURLUSESSL_ALL;
        set(CURLOPT_USE_SSL, static_cast<long>(use));
        set(CURLOPT_SSL_VERIFYPEER, 1L);
        set(CURLOPT_SSL_VERIFYHOST, 2L);
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        if (!given.ca_file.empty()) {
            set(CURLOPT_CAINFO, given.ca_file.c_str());
            set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
        }
    }

    void set_login(const options& given, const secret& bearer) {
        if (given.username.empty()) {
            return;
        }
        set(CURLOPT_USERNAME, given.username.c_str());
        if (bearer.empty()) {
            set(CURLOPT_PASSWORD, given.password.reveal_c_str());
        } else {
            set(CURLOPT_XOAUTH2_BEARER, bearer.reveal_c_str());
            // Else libcurl would try a mechanism with a password first, with an empty one.
            set(CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2;AUTH=OAUTHBEARER");
        }
    }

    void set_message(const envelope& mail, curl_slist* recipients) {
        const auto from = "<" + mail.from + ">";
        set(CURLOPT_MAIL_FROM, from.c_str());
        set(CURLOPT_MAIL_RCPT, recipients);
        // One bad address among many must not keep the mail from the others.
        set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.message.size()));
        set(CURLOPT_READFUNCTION, &session::on_read);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_WRITEFUNCTION, &session::on_write);
        set(CURLOPT_VERBOSE, 1L);  // goes to on_debug only
        set(CURLOPT_DEBUGFUNCTION, &session::on_debug);
        set(CURLOPT_DEBUGDATA, this);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &session::on_progress);
        set(CURLOPT_XFERINFODATA, this);
    }

    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self) {
        auto& me = *static_cast<session*>(self);
        const auto taken = std::min(size * count, me.left_.size());
        std::memcpy(into, me.left_.data(), taken);
        me.left_.remove_prefix(taken);
        // libcurl stops asking once it has the announced size, so this is the last sign we get.
        if (me.left_.empty()) {
            me.report_->transcript.body_sent();
        }
        return taken;
    }

    static std::size_t on_write(char*, std::size_t size, std::size_t count, void*) {
        return size * count;  // the default would print replies
    }

    static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
        auto* report = static_cast<session*>(self)->report_;
        if (report != nullptr && type == CURLINFO_HEADER_OUT) {
            report->transcript.sent({data, size});
        } else if (report != nullptr && type == CURLINFO_HEADER_IN) {
            report->transcript.received({data, size});
        }
        return 0;
    }

    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        const auto& me = *static_cast<session*>(self);
        return me.stop_ != nullptr && me.stop_->stop_requested() &&
                       !me.report_->transcript.is_body_sent()
                   ? 1
                   : 0;
    }

    static curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
        const int socket =
            ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        if (socket >= 0) {
            static_cast<session*>(self)->sockets_.insert(socket);
        }
        return socket;
    }

    static int on_close_socket(void* self, curl_socket_t socket) {
        static_cast<session*>(self)->sockets_.erase(socket);
        return ::close(socket);
    }

    CURL* easy_;
    std::set<int> sockets_;
    smtp_report* report_{nullptr};
    const std::stop_token* stop_{nullptr};
    std::string_view left_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
};

smtp_client::smtp_client(const options& given) : given_{given}, url_{url_of(given)} {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

smtp_client::~smtp_client() = default;

std::unique_ptr<smtp_client::session> smtp_client::take() {
    const std::lock_guard lock{mutex_};
    if (idle_.empty()) {
        return std::make_unique<session>();
    }
    auto newest = std::move(idle_.back());
    idle_.pop_back();
    return newest;
}

void smtp_client::give_back(std::unique_ptr<session> used) {
    const std::lock_guard lock{mutex_};
    if (idle_.size() < most_idle_sessions) {
        idle_.push_back(std::move(used));
    }
}

smtp_report smtp_client::send(const envelope& mail, const secret& bearer,
                              const std::stop_token& stop, std::chrono::milliseconds timeout) {
    auto with = take();
    // A throw drops the session: its handle still points into the call.
    auto report = with->send(given_, url_, mail, bearer, stop, timeout);
    give_back(std::move(with));
    return report;
}

}  // namespace libqueue::processors::email
