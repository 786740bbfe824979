#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace libqueue::processors::email {

/// A server's answer: code and the text of all its lines.
class smtp_reply {
   public:
    smtp_reply(int code_, std::string text_) : code{code_}, text{std::move(text_)} {}
    [[nodiscard]] bool accepted() const noexcept { return code >= 200 && code < 300; }
    [[nodiscard]] bool permanent() const noexcept { return code >= 500; }
    /// Code and text in one line without control characters, mail addresses masked.
    [[nodiscard]] std::string for_people() const;
    /// `5.1.1` of `550 5.1.1 no such user` (RFC 3463); empty when there is none.
    [[nodiscard]] std::string enhanced_status() const;
    /// Of a refused recipient: that address does not exist or is disabled, whoever writes and
    /// whatever. 5.1.0 to 5.1.3, 5.1.6, 5.1.10, 5.2.1; without such a status 550, 551 and 553. Full
    /// mailboxes and policies (5.7.x) are not that.
    [[nodiscard]] bool is_hard_bounce() const;

    int code;
    std::string text;
};
static_assert(!std::is_aggregate_v<smtp_reply>);

/// Follows one SMTP session from what libcurl reports it sent and received, so that every reply is
/// known by the command it answers; libcurl itself keeps only the last code. Remembers verbs and
/// replies, never what a login exchange said. Pure; one thread.
class smtp_transcript {
   public:
    explicit smtp_transcript(std::size_t recipients) : recipients_(recipients) {}

    void sent(std::string_view line);
    void received(std::string_view line);
    /// The message was handed to the connection in full: from now on the server may hold it.
    void body_sent() noexcept { body_sent_ = true; }

    [[nodiscard]] bool is_body_sent() const noexcept { return body_sent_; }
    /// To RCPT, by position; empty where none came.
    [[nodiscard]] const std::vector<std::optional<smtp_reply>>& recipients() const noexcept {
        return recipients_;
    }
    /// To the final dot.
    [[nodiscard]] const std::optional<smtp_reply>& verdict() const noexcept { return verdict_; }
    /// The last refusal of a command about the message (MAIL, DATA); not of one recipient.
    [[nodiscard]] const std::optional<smtp_reply>& refusal() const noexcept { return refusal_; }
    /// The last refusal of the connection or the login.
    [[nodiscard]] const std::optional<smtp_reply>& session_refusal() const noexcept {
        return session_refusal_;
    }
    [[nodiscard]] bool login_refused() const noexcept { return login_refused_; }

   private:
    enum class phase { session, login, mail, recipient, data, body, quit };
    void answered(const smtp_reply& reply);

    phase phase_{phase::session};
    std::string lines_;
    std::size_t next_recipient_{0};
    std::vector<std::optional<smtp_reply>> recipients_;
    std::optional<smtp_reply> verdict_;
    std::optional<smtp_reply> refusal_;
    std::optional<smtp_reply> session_refusal_;
    bool login_refused_{false};
    bool body_sent_{false};
};

}  // namespace libqueue::processors::email
