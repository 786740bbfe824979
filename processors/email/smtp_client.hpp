#pragma once

#include "processors/email/options.hpp"
#include "processors/email/smtp_transcript.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace libqueue::processors::email {

/// One mail to hand over: who, to whom, and the message with CRLF line ends.
class envelope {
   public:
    envelope(std::string from_, std::vector<std::string> recipients_, std::string message_)
        : from{std::move(from_)},
          recipients{std::move(recipients_)},
          message{std::move(message_)} {}
    std::string from;
    std::vector<std::string> recipients;
    std::string message;
};

/// How the session went. The transcript tells what the server said.
class smtp_report {
   public:
    explicit smtp_report(std::size_t recipients) : transcript{recipients} {}
    smtp_transcript transcript;
    bool stopped{false};  ///< given up because it was asked, before the body was sent
    std::string error;    ///< libcurl's words when it failed, addresses masked; empty: it did not
};

/// Hands mails to one SMTP server, over connections kept between mails.
///
/// Blocks, and is therefore called from the worker's thread pool, any number of threads at once:
/// libcurl 7.88 waits for the answer to the final dot in a loop of its own, also under its multi
/// interface, which would stop the worker's event loop (heartbeats included) for as long as the
/// server's content scan takes.
///
/// A stop request is obeyed within a second until the body is sent; after that the answer is waited
/// for, because giving up then would leave open whether the mail was accepted.
class smtp_client {
   public:
    explicit smtp_client(const options& given);
    smtp_client(const smtp_client&) = delete;
    smtp_client& operator=(const smtp_client&) = delete;
    ~smtp_client();

    /// `bearer`: the access token when the options name a file for it, else empty.
    [[nodiscard]] smtp_report send(const envelope& mail, const secret& bearer,
                                   const std::stop_token& stop, std::chrono::milliseconds timeout);

   private:
    class session;
    [[nodiscard]] std::unique_ptr<session> take();
    void give_back(std::unique_ptr<session> used);

    const options given_;
    std::string url_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<session>> idle_;
};

}  // namespace libqueue::processors::email
