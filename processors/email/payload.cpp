#include "processors/email/payload.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <array>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t most_recipients = 100;
constexpr std::size_t most_headers = 32;
constexpr std::size_t longest_subject = 998;
constexpr std::size_t longest_value = 4096;
constexpr std::size_t longest_word = 900;
constexpr std::size_t longest_name = 64;

/// Built from other fields, or telling the message's structure or path.
constexpr std::array<std::string_view, 18> reserved_headers{"from",
                                                            "to",
                                                            "cc",
                                                            "bcc",
                                                            "sender",
                                                            "reply-to",
                                                            "subject",
                                                            "date",
                                                            "message-id",
                                                            "mime-version",
                                                            "return-path",
                                                            "received",
                                                            "delivered-to",
                                                            "envelope-to",
                                                            "apparently-to",
                                                            "dkim-signature",
                                                            "auto-submitted",
                                                            "arc-seal"};

bool is_reserved(const std::string& lower) {
    return lower.starts_with("content-") || lower.starts_with("resent-") ||
           lower.starts_with("arc-") ||
           std::find(reserved_headers.begin(), reserved_headers.end(), lower) !=
               reserved_headers.end();
}

std::string position(std::string_view name, std::size_t index, bool many) {
    return many ? std::string{name} + "[" + std::to_string(index) + "]" : std::string{name};
}

std::vector<mailbox> mailboxes(payload_reader& reader, std::string_view name) {
    std::vector<mailbox> all;
    const bool readable = reader.ok();
    const auto texts = reader.texts(name);
    if (readable != reader.ok()) {
        return all;
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (auto one = mailbox::parse(texts[i])) {
            all.push_back(std::move(*one));
        } else {
            reader.fault(position(name, i, texts.size() > 1), "expected a mail address");
        }
    }
    return all;
}

std::optional<mailbox> optional_mailbox(payload_reader& reader, std::string_view name) {
    const auto text = reader.optional_text(name);
    if (!text) {
        return std::nullopt;
    }
    auto one = mailbox::parse(*text);
    if (!one) {
        reader.fault(name, "expected a mail address");
    }
    return one;
}

bool has_long_word(std::string_view text) {
    std::size_t run = 0;
    return std::any_of(text.begin(), text.end(), [&run](char c) {
        run = c == ' ' ? 0 : run + 1;
        return run > longest_word;
    });
}

void check_headers(payload_reader& reader, const mail_payload& mail) {
    if (mail.headers.size() > most_headers) {
        reader.fault("headers", "expected at most 32");
    }
    for (const auto& [name, value] : mail.headers) {
        if (!is_token(name) || name.size() > 64) {
            reader.fault("headers", "a name has characters that header names cannot have");
        } else if (is_reserved(to_lower(name))) {
            reader.fault("headers", "a name is reserved (" + to_lower(name) + ")");
        } else if (has_control_characters(value) || value.size() > longest_value ||
                   has_long_word(value)) {
            reader.fault("headers", "a value has control characters or is too long");
        }
    }
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_name &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                      std::string_view{"_.-"}.find(c) != std::string_view::npos;
           });
}

bool is_locale(std::string_view text) {
    return !text.empty() && text.size() <= longest_name &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_';
           });
}

void check_content_of(const mail_payload& mail, payload_reader& reader) {
    if (has_control_characters(mail.subject) || mail.subject.size() > longest_subject) {
        reader.fault("subject", "expected at most 998 bytes without control characters");
    }
    if (!mail.text && !mail.html) {
        reader.fault("text", "expected text, html or both, got neither");
    }
}

void read_template(payload_reader& reader, mail_payload& mail) {
    template_request request{reader.text("template")};
    if (reader.ok() && !is_name(request.name)) {
        reader.fault("template", "expected 1 to 64 of a-z, 0-9, '_', '.' and '-'");
    }
    request.locale = reader.optional_text("locale").value_or("default");
    request.zone = reader.optional_text("zone").value_or("UTC");
    request.version = reader.optional_integer("version", 1, 1'000'000'000);
    if (!is_locale(request.locale)) {
        reader.fault("locale", "expected a language tag such as de-AT");
    }
    if (reader.has("variables")) {
        request.variables = std::string{reader.raw("variables")};
        if (!request.variables.starts_with('{')) {
            reader.fault("variables", "expected an object, got something else");
        }
    }
    for (const std::string_view name : {"subject", "text", "html"}) {
        if (reader.has(name)) {
            reader.fault(name, "expected nothing beside a template");
        }
    }
    mail.from_template = std::move(request);
}

void read_content(payload_reader& reader, mail_payload& mail) {
    if (reader.has("template")) {
        read_template(reader, mail);
        return;
    }
    mail.subject = reader.text("subject");
    mail.text = reader.optional_text("text");
    mail.html = reader.optional_text("html");
}

}  // namespace

std::vector<std::string> mail_payload::recipients() const {
    std::vector<std::string> all;
    for (const auto* list : {&to, &cc, &bcc}) {
        for (const auto& one : *list) {
            if (std::find(all.begin(), all.end(), one.address) == all.end()) {
                all.push_back(one.address);
            }
        }
    }
    return all;
}

result<void> mail_payload::check_content() const {
    payload_reader reader{"{}"};
    check_content_of(*this, reader);
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    return {};
}

result<mail_payload> mail_payload::parse(std::string_view json, std::string_view default_from) {
    payload_reader reader{json};
    mail_payload mail;
    mail.to = mailboxes(reader, "to");
    mail.cc = mailboxes(reader, "cc");
    mail.bcc = mailboxes(reader, "bcc");
    mail.from = optional_mailbox(reader, "from");
    mail.reply_to = optional_mailbox(reader, "reply_to");
    read_content(reader, mail);
    mail.headers = reader.text_map("headers");
    mail.category = reader.optional_text("category").value_or("");
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    mail.from_is_default = !mail.from.has_value();
    if (!mail.from) {
        mail.from = mailbox::parse(default_from);
    }
    if (!mail.from) {
        reader.fault("from",
                     "expected a mail address, got nothing, and the options name no sender");
    }
    const auto count = mail.recipients().size();
    if (count == 0 || count > most_recipients) {
        reader.fault("to", "expected 1 to 100 recipients, got " + std::to_string(count));
    }
    if (!mail.category.empty() && !is_name(mail.category)) {
        reader.fault("category", "expected 1 to 64 of a-z, 0-9, '_', '.' and '-'");
    }
    if (!mail.from_template) {
        check_content_of(mail, reader);
    }
    check_headers(reader, mail);
    mail.attachments = read_attachments(reader);
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    return mail;
}

}  // namespace libqueue::processors::email
