#pragma once

#include "processors/email/address_list.hpp"
#include "processors/email/attachment.hpp"

#include <libqueue/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue::processors::email {

/// Which template a mail is made from, and with what.
class template_request {
   public:
    explicit template_request(std::string name_) : name{std::move(name_)} {}

    std::string name;
    std::string locale{"default"};        ///< de-AT falls back to de, then to `default`
    std::optional<std::int64_t> version;  ///< nothing: the active one
    std::string zone{"UTC"};              ///< in which dates and times are written
    std::string variables{"{}"};          ///< a JSON object, as it stands
};
static_assert(!std::is_aggregate_v<template_request>);

/// What `email.send` is told:
///   {"to": "a@b.c" or ["a@b.c", "Name <d@e.f>"], "cc": ..., "bcc": ..., "from": "...",
///    "reply_to": "...", "subject": "...", "text": "...", "html": "...",
///    "attachments": [...], "headers": {"X-Campaign": "..."}, "category": "marketing"}
/// or, in place of subject, text and html,
///    "template": "welcome", "locale": "de-AT", "zone": "Europe/Vienna", "version": 3,
///    "variables": {...}
/// Required: at least one recipient, and subject and text or html, or a template.
class mail_payload {
   public:
    mail_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<mail_payload> parse(std::string_view json,
                                                    std::string_view default_from);

    /// Without doubles, in the order to, cc, bcc.
    [[nodiscard]] std::vector<std::string> recipients() const;
    /// What must hold of subject and bodies, wherever they came from. Error: invalid_argument.
    [[nodiscard]] result<void> check_content() const;

    std::vector<mailbox> to;
    std::vector<mailbox> cc;
    std::vector<mailbox> bcc;
    std::optional<mailbox> from;  ///< always there after parse
    bool from_is_default{false};  ///< the payload named none
    std::optional<mailbox> reply_to;
    std::string subject;
    std::optional<std::string> text;
    std::optional<std::string> html;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<attachment> attachments;
    std::optional<template_request> from_template;
    std::string category;         ///< of the preferences; empty: the template's, or `transactional`
    std::string unsubscribe_url;  ///< becomes List-Unsubscribe; never of the payload
};
static_assert(!std::is_aggregate_v<mail_payload>);

}  // namespace libqueue::processors::email
