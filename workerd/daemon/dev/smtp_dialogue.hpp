#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace workerd {

/// The receiving side of SMTP (RFC 5321) without I/O: lines in, replies out.
class smtp_dialogue {
   public:
    static constexpr std::size_t line_bytes_max = 64 << 10;
    static constexpr std::size_t mail_bytes_max = 25 << 20;
    static constexpr std::size_t recipients_max = 1000;

    class mail {
       public:
        std::string from;
        std::vector<std::string> to;
        std::string data;
    };

    /// One line without its CRLF. Returns the reply, CRLF included; empty while a mail is being
    /// read.
    [[nodiscard]] std::string on_line(std::string_view line);
    /// A mail was just completed: store it, then say whether that worked.
    [[nodiscard]] bool has_mail() const noexcept { return has_mail_; }
    [[nodiscard]] mail take_mail();
    [[nodiscard]] bool is_over() const noexcept { return is_over_; }

    [[nodiscard]] static std::string greeting();

   private:
    [[nodiscard]] std::string on_command(std::string_view line);
    [[nodiscard]] std::string on_mail(std::string_view argument);
    [[nodiscard]] std::string on_recipient(std::string_view argument);
    void reset();

    bool said_hello_ = false;
    bool has_sender_ = false;
    bool reads_data_ = false;
    bool is_too_large_ = false;
    bool has_mail_ = false;
    bool is_over_ = false;
    mail mail_;
};

}  // namespace workerd
