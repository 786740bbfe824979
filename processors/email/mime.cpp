#include "processors/email/mime.hpp"

#include "processors/email/encoded_text.hpp"
#include "processors/support/crypto.hpp"

#include <algorithm>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t base64_line = 76;
/// Leaves room in a line of 78 for a name of 15, the number, and the charset.
constexpr std::size_t parameter_chunk = 45;

std::string text_part(std::string_view subtype, std::string_view text) {
    const auto body = with_crlf(text);
    const bool plain = is_plain_body(body);
    std::string out = "Content-Type: text/" + std::string{subtype} + "; charset=utf-8\r\n";
    out += plain ? "Content-Transfer-Encoding: 7bit\r\n\r\n"
                 : "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    return out += plain ? body : quoted_printable(body);
}

std::string base64_lines(std::string_view bytes) {
    const auto all = base64_encode(bytes);
    std::string out;
    out.reserve(all.size() + all.size() / base64_line * 2 + 2);
    for (std::size_t at = 0; at < all.size(); at += base64_line) {
        out.append(all, at, base64_line);
        out += "\r\n";
    }
    return out;
}

std::string file_part(const attachment& file, bool is_inline) {
    auto out = "Content-Type: " + file.type + mime_parameter("name", file.name) + "\r\n";
    out += is_inline ? "Content-Disposition: inline" : "Content-Disposition: attachment";
    out += mime_parameter("filename", file.name) + "\r\n";
    if (is_inline) {
        out += "Content-ID: <" + file.inline_id + ">\r\n";
    }
    out += "Content-Transfer-Encoding: base64\r\n\r\n";
    return out += base64_lines(file.content);
}

/// Quoted-printable and base64 cannot hold "=_"; the hash keeps it out of plain parts.
std::string boundary_of(std::string_view subtype, std::string_view seed,
                        const std::vector<std::string>& parts) {
    std::string all{seed};
    all += subtype;
    for (const auto& part : parts) {
        all += sha256_hex(part);
    }
    return "=_" + sha256_hex(all).substr(0, 32);
}

std::string multipart(std::string_view subtype, std::string_view parameter, std::string_view seed,
                      const std::vector<std::string>& parts) {
    const auto boundary = boundary_of(subtype, seed, parts);
    std::string out{"Content-Type: multipart/"};
    out += subtype;
    out += parameter;
    out += ";\r\n boundary=\"" + boundary + "\"\r\n\r\n";
    for (const auto& part : parts) {
        out += "--" + boundary + "\r\n" + part + "\r\n";
    }
    return out += "--" + boundary + "--\r\n";
}

bool is_attribute_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view{"!#$&+-.^_`{}~"}.find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_attribute_character(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace

std::string mime_parameter(std::string_view name, std::string_view value) {
    const bool plain =
        value.size() <= 60 &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
        value.find_first_of("\"\\") == std::string_view::npos &&
        value.find("=?") == std::string_view::npos;  // some would decode it
    auto out = ";\r\n " + std::string{name};
    if (plain) {
        return out += "=\"" + std::string{value} + "\"";
    }
    const auto encoded = percent_encoded(value);
    if (encoded.size() <= parameter_chunk) {
        return out += "*=UTF-8''" + encoded;
    }
    out.clear();
    std::size_t number = 0;
    for (std::size_t at = 0; at < encoded.size(); ++number) {
        auto end = std::min(encoded.size(), at + parameter_chunk);
        // Not within %XX: each piece is decoded by itself.
        while (end < encoded.size() && end - at > 2 &&
               (encoded[end - 1] == '%' || encoded[end - 2] == '%')) {
            --end;
        }
        out += ";\r\n " + std::string{name} + "*" + std::to_string(number) + "*=";
        out += number == 0 ? "UTF-8''" : "";
        out += encoded.substr(at, end - at);
        at = end;
    }
    return out;
}

std::string mime_tree(const std::optional<std::string>& text,
                      const std::optional<std::string>& html, const std::vector<attachment>& files,
                      std::string_view seed) {
    std::vector<std::string> shown;
    std::vector<std::string> saved;
    for (const auto& file : files) {
        const bool is_inline = html.has_value() && !file.inline_id.empty();
        (is_inline ? shown : saved).push_back(file_part(file, is_inline));
    }
    std::string body;
    if (html) {
        body = text_part("html", *html);
        if (!shown.empty()) {
            shown.insert(shown.begin(), std::move(body));
            body = multipart("related", ";\r\n type=\"text/html\"", seed, shown);
        }
    }
    if (text) {
        auto plain = text_part("plain", *text);
        body = html ? multipart("alternative", "", seed, {std::move(plain), std::move(body)})
                    : std::move(plain);
    }
    if (saved.empty()) {
        return body;
    }
    saved.insert(saved.begin(), std::move(body));
    return multipart("mixed", "", seed, saved);
}

}  // namespace libqueue::processors::email
