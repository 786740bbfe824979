#include "api/as_result.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "pg/sha256.hpp"
#include "store/access_store.hpp"

#include <libqueue/access.hpp>

#include <openssl/rand.h>

#include <array>

namespace libqueue {
namespace {

using api::on_connection;

constexpr std::string_view token_prefix{"lq_"};
constexpr std::size_t secret_bytes{32};
/// What base64url makes of 32 bytes, without padding.
constexpr std::size_t secret_text{43};

[[nodiscard]] std::string base64url(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits{
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (const unsigned char byte : bytes) {
        held = (held << 8U) | byte;
        for (bits += 8; bits >= 6;) {
            bits -= 6;
            out += digits[(held >> static_cast<unsigned>(bits)) & 63U];
        }
    }
    if (bits > 0) {
        out += digits[(held << static_cast<unsigned>(6 - bits)) & 63U];
    }
    return out;
}

[[nodiscard]] std::string draw_token() {
    std::array<unsigned char, secret_bytes> secret{};
    if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
        throw failure{"the system's random numbers are not available", {}, false, false};
    }
    std::string text{token_prefix};
    text += base64url(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    return text;
}

[[nodiscard]] std::optional<time_point> time_of(const pg::result& from, int row, int column) {
    if (from.is_null(row, column)) {
        return std::nullopt;
    }
    return time_point{std::chrono::microseconds{from.int64(row, column)}};
}

[[nodiscard]] error no_such_token() {
    return error{errc::not_found, "no such token, or it has ended"};
}

}  // namespace

result<std::string> access_control::create_tenant(std::string_view name) {
    return api::as_result([&] {
        return on_connection(
            client_, [&](const store::session& with) { return store::create_tenant(with, name); });
    });
}

report access_control::list_tenants() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_tenants(with));
    });
}

result<new_token> access_control::create_token(const token_options& options) {
    return api::as_result([&] {
        new_token made;
        made.text = draw_token();
        const std::string hash = pg::sha256_hex(made.text);
        on_connection(client_, [&](const store::session& with) {
            const pg::result row = store::create_token(with, hash, options);
            made.id = row.text(0, 0);
            made.expires_at = time_of(row, 0, 1);
        });
        return made;
    });
}

result<token_holder> access_control::find_token(std::string_view presented) {
    // Other forms are hashed as well: how long the answer takes says nothing about the form.
    const std::string hash = pg::sha256_hex(presented);
    const bool formed = presented.starts_with(token_prefix) &&
                        presented.size() == token_prefix.size() + secret_text;
    return api::as_result([&] {
        return on_connection(client_, [&](const store::session& with) {
            const pg::result row = store::find_token(with, hash);
            const auto known = row.rows() == 1 ? parse_role(row.text(0, 2)) : std::nullopt;
            if (!formed || !known) {
                throw domain_failure{no_such_token()};
            }
            token_holder holder;
            holder.token_id = row.text(0, 0);
            const std::string_view name = row.text(0, 1);
            holder.who = principal{"token:" + (name.empty() ? holder.token_id : std::string{name}),
                                   *known, row.optional_text(0, 3)};
            holder.expires_at = time_of(row, 0, 4);
            return holder;
        });
    });
}

report access_control::list_tokens(int limit, const std::optional<std::string>& next_before) {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_tokens(with, limit, next_before));
    });
}

result<void> access_control::revoke_token(std::string_view id) {
    return api::as_result([&] {
        on_connection(client_, [&](const store::session& with) { store::revoke_token(with, id); });
    });
}

report access_control::list_audit(const audit_filter& filter) {
    return on_connection(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_audit(with, filter));
        if (page.rows.size() == static_cast<std::size_t>(filter.limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

result<report> access_control::verify_audit(std::optional<std::int64_t> anchor_id,
                                            std::string_view anchor_hash) {
    return api::as_result([&] {
        return on_connection(client_, [&](const store::session& with) {
            return api::make_report(store::verify_audit(with, anchor_id, anchor_hash));
        });
    });
}

result<std::int64_t> access_control::prune_audit(std::chrono::seconds age) {
    return api::as_result([&] {
        return on_connection(
            client_, [&](const store::session& with) { return store::prune_audit(with, age); });
    });
}

result<void> access_control::install_roles() {
    return api::as_result([&] {
        on_connection(client_, [&](const store::session& with) {
            if (const std::string why = store::install_roles(with); !why.empty()) {
                throw domain_failure{error{
                    errc::conflict, why,
                    "Connect as the owner of the tables, with CREATEROLE, or as a superuser."}};
            }
        });
    });
}

report access_control::list_roles() {
    return on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_roles(with));
    });
}

}  // namespace libqueue
