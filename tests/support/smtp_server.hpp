#pragma once

#include "process.hpp"
#include "temp_dir.hpp"
#include "tls_certificate.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace test {

class smtp_message {
   public:
    smtp_message() = default;
    std::string from;             ///< of the envelope
    std::vector<std::string> to;  ///< of the envelope
    std::string data;             ///< header and body, CRLF, as received
    bool tls{false};
    std::string user;  ///< who authenticated; empty: nobody
    std::string helo;  ///< how the client introduced itself
};

/// One scripted answer; see smtp_server.py. The first that fits is used.
class smtp_answer {
   public:
    enum class stage { mail, rcpt, data };
    smtp_answer(stage on_, std::string reply_) : on{on_}, reply{std::move(reply_)} {}
    stage on;
    std::string reply;         ///< "550 5.1.1 no such user"
    std::string match;         ///< part of the address; empty: any
    std::optional<int> times;  ///< nothing: for ever
    bool drop{false};          ///< close without a reply; at `data`: after the message came
};

class smtp_server_options {
   public:
    enum class security { none, starttls, implicit_tls };
    smtp_server_options() = default;
    security tls{security::none};
    const tls_certificate* certificate{nullptr};  ///< needed with TLS
    std::string user;                             ///< not empty: AUTH is required
    std::string password;
    std::string bearer;  ///< not empty: AUTH XOAUTH2 with `user` and this token is required
    bool utf8{true};     ///< SMTPUTF8 is offered
    std::vector<smtp_answer> script;
};

/// A real SMTP server (aiosmtpd) on a free port of 127.0.0.1, a child process.
class smtp_server {
   public:
    explicit smtp_server(const smtp_server_options& options = {});

    [[nodiscard]] unsigned short port() const noexcept { return port_; }
    /// Messages accepted so far, in order.
    [[nodiscard]] std::vector<smtp_message> messages() const;
    /// Those since `offset`, which moves on: for tests with many.
    [[nodiscard]] std::vector<smtp_message> messages_since(std::size_t& offset) const;
    /// What goes wrong from the next message on: a word of `faults` in smtp_server.py.
    void fail_with(const std::string& fault);
    /// True once `count` messages were accepted, false at the deadline.
    [[nodiscard]] bool wait_for_messages(std::size_t count,
                                         std::chrono::milliseconds deadline = std::chrono::seconds{
                                             10}) const;

   private:
    temp_dir dir_;
    std::unique_ptr<process> server_;
    unsigned short port_{0};
};

}  // namespace test
