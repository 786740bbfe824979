#include "processors/email/smtp_transcript.hpp"

#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <array>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t longest_reply = 2048;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

}  // namespace

std::string smtp_reply::for_people() const {
    auto out = with_addresses_masked(std::to_string(code) + " " + text);
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return out;
}

std::string smtp_reply::enhanced_status() const {
    const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto status = text.substr(0, end);
    const bool fits = status.size() >= 5 && status.size() <= 9 && status[1] == '.' &&
                      (status[0] == '2' || status[0] == '4' || status[0] == '5') &&
                      std::count(status.begin(), status.end(), '.') == 2 && status.back() != '.' &&
                      status[2] != '.';
    return fits ? status : std::string{};
}

bool smtp_reply::is_hard_bounce() const {
    constexpr std::array<std::string_view, 7> gone{"5.1.0", "5.1.1",  "5.1.2", "5.1.3",
                                                   "5.1.6", "5.1.10", "5.2.1"};
    if (!permanent()) {
        return false;
    }
    const auto status = enhanced_status();
    if (!status.empty()) {
        return std::find(gone.begin(), gone.end(), status) != gone.end();
    }
    return code == 550 || code == 551 || code == 553;
}

void smtp_transcript::sent(std::string_view line) {
    lines_.clear();
    // The order is checked, because a line of a login exchange may look like any verb.
    if (line.starts_with("AUTH ")) {
        phase_ = phase::login;
    } else if (line.starts_with("MAIL FROM:")) {
        phase_ = phase::mail;
    } else if (line.starts_with("RCPT TO:") &&
               (phase_ == phase::mail || phase_ == phase::recipient)) {
        phase_ = phase::recipient;
    } else if (line.starts_with("DATA") && phase_ == phase::recipient) {
        phase_ = phase::data;
    } else if (line.starts_with("QUIT") && phase_ != phase::login) {
        phase_ = phase::quit;
    }
}

void smtp_transcript::received(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) {
        return;
    }
    if (!lines_.empty()) {
        lines_ += ' ';
    }
    lines_ += line.substr(std::min<std::size_t>(4, line.size()));
    lines_.resize(std::min(lines_.size(), longest_reply));
    if (line.size() > 3 && line[3] == '-') {
        return;  // more lines follow
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    const smtp_reply reply{code, std::move(lines_)};
    lines_.clear();
    answered(reply);
}

void smtp_transcript::answered(const smtp_reply& reply) {
    const bool refused = reply.code >= 400;
    switch (phase_) {
        case phase::session:
        case phase::login:
            if (refused) {
                login_refused_ = phase_ == phase::login;
                session_refusal_ = reply;
            }
            break;
        case phase::mail:
            if (refused) {
                refusal_ = reply;
            }
            break;
        case phase::recipient:
            if (next_recipient_ < recipients_.size()) {
                recipients_[next_recipient_++] = reply;
            }
            break;
        case phase::data:
            if (refused) {
                refusal_ = reply;
            } else {
                phase_ = phase::body;  // 354: the next reply is about the message itself
            }
            break;
        case phase::body:
            verdict_ = reply;
            break;
        case phase::quit:
            break;
    }
}

}  // namespace libqueue::processors::email
