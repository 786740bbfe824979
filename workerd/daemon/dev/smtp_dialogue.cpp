#include "dev/smtp_dialogue.hpp"

#include <fmt/format.h>

#include <cctype>
#include <optional>
#include <utility>

namespace workerd {

namespace {

bool starts_with_verb(std::string_view line, std::string_view verb) {
    if (line.size() < verb.size())
        return false;
    for (std::size_t i = 0; i < verb.size(); ++i) {
        if (std::toupper(static_cast<unsigned char>(line[i])) != verb[i])
            return false;
    }
    return line.size() == verb.size() || line[verb.size()] == ' ' || verb.back() == ':';
}

// "<a@b.c> SIZE=10" as "a@b.c"; the empty reverse path "<>" is an empty text.
std::optional<std::string> path_of(std::string_view argument) {
    while (argument.starts_with(' '))
        argument.remove_prefix(1);
    if (!argument.starts_with('<'))
        return std::nullopt;
    const auto end = argument.find('>');
    if (end == std::string_view::npos)
        return std::nullopt;
    return std::string{argument.substr(1, end - 1)};
}

}  // namespace

std::string smtp_dialogue::greeting() {
    return "220 workerd development mail sink ESMTP\r\n";
}

std::string smtp_dialogue::on_line(std::string_view line) {
    if (!reads_data_)
        return on_command(line);
    if (line == ".") {
        reads_data_ = false;
        if (std::exchange(is_too_large_, false)) {
            reset();
            return "552 5.3.4 message too large\r\n";
        }
        has_mail_ = true;
        return {};
    }
    // A line that starts with a dot was sent with one more (RFC 5321 §4.5.2).
    if (line.starts_with('.'))
        line.remove_prefix(1);
    if (mail_.data.size() + line.size() > mail_bytes_max)
        is_too_large_ = true;
    else
        mail_.data += std::string{line} + "\r\n";
    return {};
}

smtp_dialogue::mail smtp_dialogue::take_mail() {
    auto taken = std::move(mail_);
    reset();
    return taken;
}

std::string smtp_dialogue::on_command(std::string_view line) {
    if (starts_with_verb(line, "EHLO")) {
        said_hello_ = true;
        reset();
        return fmt::format(
            "250-workerd\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
            "250 SIZE {}\r\n",
            mail_bytes_max);
    }
    if (starts_with_verb(line, "HELO")) {
        said_hello_ = true;
        reset();
        return "250 workerd\r\n";
    }
    if (starts_with_verb(line, "QUIT")) {
        is_over_ = true;
        return "221 2.0.0 bye\r\n";
    }
    if (starts_with_verb(line, "NOOP"))
        return "250 2.0.0 ok\r\n";
    if (starts_with_verb(line, "VRFY"))
        return "252 2.5.0 will take it\r\n";
    if (starts_with_verb(line, "RSET")) {
        reset();
        return "250 2.0.0 ok\r\n";
    }
    if (!said_hello_)
        return "503 5.5.1 say EHLO first\r\n";
    if (starts_with_verb(line, "MAIL FROM:"))
        return on_mail(line.substr(10));
    if (starts_with_verb(line, "RCPT TO:"))
        return on_recipient(line.substr(8));
    if (starts_with_verb(line, "DATA")) {
        if (mail_.to.empty())
            return "503 5.5.1 RCPT first\r\n";
        reads_data_ = true;
        return "354 end with a line that holds a dot\r\n";
    }
    return "502 5.5.2 command not known\r\n";
}

std::string smtp_dialogue::on_mail(std::string_view argument) {
    const auto path = path_of(argument);
    if (!path)
        return "501 5.1.7 expected <address>\r\n";
    reset();
    mail_.from = *path;
    has_sender_ = true;
    return "250 2.1.0 ok\r\n";
}

std::string smtp_dialogue::on_recipient(std::string_view argument) {
    const auto path = path_of(argument);
    if (!has_sender_)
        return "503 5.5.1 MAIL first\r\n";
    if (!path || path->empty())
        return "501 5.1.3 expected <address>\r\n";
    if (mail_.to.size() >= recipients_max)
        return "452 4.5.3 too many recipients\r\n";
    mail_.to.push_back(*path);
    return "250 2.1.5 ok\r\n";
}

void smtp_dialogue::reset() {
    mail_ = mail{};
    has_sender_ = false;
    has_mail_ = false;
}

}  // namespace workerd
