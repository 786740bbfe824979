#include "processors/email/message.hpp"

#include "processors/email/encoded_text.hpp"
#include "processors/email/mime.hpp"
#include "processors/support/crypto.hpp"

#include <array>
#include <cstdio>

namespace libqueue::processors::email {

namespace {

/// RFC 5322 date in UTC. By hand: strftime would use the names of the process's locale.
std::string date_text(time_point when) {
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::weekday weekday{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(when - day)};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
                  days.at(weekday.c_encoding()), static_cast<unsigned>(date.day()),
                  months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text.data();
}

std::string mailbox_text(const mailbox& one) {
    return one.name.empty() ? one.address : encoded_phrase(one.name) + " <" + one.address + ">";
}

std::string mailbox_list(const std::vector<mailbox>& all) {
    std::string out;
    for (const auto& one : all) {
        if (!out.empty()) {
            out += ", ";
        }
        out += mailbox_text(one);
    }
    return out;
}

}  // namespace

std::string message_id(const mail_payload& mail, const run_view& run) {
    // Hashed: a key may hold characters an id cannot, and says more than receivers should know.
    auto identity = delivery_id(run);
    identity += '@';
    identity += mail.from->domain();
    return "<" + sha256_hex(identity).substr(0, 32) + "@" + std::string{mail.from->domain()} + ">";
}

std::string message_text(const mail_payload& mail, const std::string& id, time_point date) {
    std::string out;
    out += header_line("Date", date_text(date));
    out += header_line("From", mailbox_text(*mail.from));
    out += header_line("Message-ID", id);
    if (mail.to.empty() && mail.cc.empty()) {
        out += header_line("To", "undisclosed-recipients:;");
    } else if (!mail.to.empty()) {
        out += header_line("To", mailbox_list(mail.to));
    }
    if (!mail.cc.empty()) {
        out += header_line("Cc", mailbox_list(mail.cc));
    }
    if (mail.reply_to) {
        out += header_line("Reply-To", mailbox_text(*mail.reply_to));
    }
    out += header_line("Subject", encoded_words(mail.subject));
    // Keeps holiday answers from coming back to a machine.
    out += header_line("Auto-Submitted", "auto-generated");
    if (!mail.unsubscribe_url.empty()) {
        // One click (RFC 8058): the mail program posts, without asking further.
        out += header_line("List-Unsubscribe", "<" + mail.unsubscribe_url + ">");
        out += header_line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
    }
    for (const auto& [name, value] : mail.headers) {
        out += header_line(name, encoded_words(value));
    }
    out += header_line("MIME-Version", "1.0");
    return out += mime_tree(mail.text, mail.html, mail.attachments, id);
}

}  // namespace libqueue::processors::email
