#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/principal.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Who may see and do what, kept in the database: tenants, API tokens, the database's roles and the
// audit of what people did. See docs/tenancy.md and docs/audit.md.

namespace libqueue {

class token_options {
   public:
    token_options() = default;
    libqueue::role role{libqueue::role::viewer};
    /// UUID of a tenant of `list_tenants`: the token sees and changes only its rows. Empty: all.
    std::optional<std::string> tenant_id;
    std::string name;  ///< for people and the audit, at most 64 bytes of [A-Za-z0-9_.@-]; may be ""
    /// Ends after so long: 1 s to 3650 days. Empty: never, until revoked.
    std::optional<std::chrono::seconds> ttl;
};

/// A token as it is only once: from then on the database knows its hash alone.
class new_token {
   public:
    std::string id;    ///< UUID; names it in lists, in the audit and for `revoke_token`
    std::string text;  ///< `lq_` and 43 characters of base64url: 256 random bits
    std::optional<time_point> expires_at;
};

/// Who presented a token.
class token_holder {
   public:
    std::string token_id;
    principal who;  ///< actor is `token:NAME`, or `token:ID` of one without a name
    std::optional<time_point> expires_at;
};

/// Which records of the audit. Empty fields do not restrict. Newest first; `before` goes on below.
class audit_filter {
   public:
    audit_filter() = default;
    std::optional<std::string> actor;
    std::optional<std::string> action;  ///< exact, or a prefix ending in `*`
    std::optional<std::string> target;
    std::optional<std::string> tenant_id;
    std::optional<time_point> since;  ///< at or after
    std::optional<time_point> until;  ///< before
    std::optional<std::int64_t> before;
    int limit{50};  ///< 1 to 10000
};

/// Uses the client's connection: one thread at a time, and the client must outlive it. Acts as the
/// client's principal; one with a tenant has to do with that tenant only. A database that is away
/// throws `failure`.
class access_control {
   public:
    explicit access_control(client& connection) noexcept : client_{connection} {}

    /// Returns its id. `invalid_argument`: a name that is not 1 to 64 of [A-Za-z0-9_.-];
    /// `conflict`: there is one of this name.
    [[nodiscard]] result<std::string> create_tenant(std::string_view name);
    /// Columns id, name, created_at.
    [[nodiscard]] report list_tenants();

    /// `not_found`: no such tenant.
    [[nodiscard]] result<new_token> create_token(const token_options& options);
    /// Who holds the token `presented`; `not_found` for one that never was, has expired or was
    /// revoked, which all look the same. Constant work whatever is presented.
    [[nodiscard]] result<token_holder> find_token(std::string_view presented);
    /// Columns id, name, role, tenant_id, created_at, created_by, expires_at, revoked_at,
    /// last_used_at (to the minute), state (active, expired, revoked); newest first. `next_before`
    /// is the id of the last row of the page before.
    [[nodiscard]] report list_tokens(int limit = 50,
                                     const std::optional<std::string>& next_before = {});
    /// By id. Holds at once; whoever remembers holders forgets them within 5 s. `not_found`.
    [[nodiscard]] result<void> revoke_token(std::string_view id);

    /// Columns id, at, actor, role, tenant_id, action, target, detail, request_id, hash.
    [[nodiscard]] report list_audit(const audit_filter& filter);
    /// Recomputes the chain: one row of ok, checked, problem, at_id, head_id, head_hash. With an
    /// anchor (head_id and head_hash of an earlier call, kept elsewhere) it also finds that records
    /// were cut off at the end, or all was written anew. `conflict` for one with a tenant.
    [[nodiscard]] result<report> verify_audit(std::optional<std::int64_t> anchor_id = {},
                                              std::string_view anchor_hash = {});
    /// Removes records older than `age`, which is itself recorded, with what the chain goes on
    /// from. Returns how many.
    [[nodiscard]] result<std::int64_t> prune_audit(std::chrono::seconds age);

    /// Makes the database's roles and puts row-level security in force, as far as not done: what
    /// migrations do where they may. Needs CREATEROLE and the owner of the tables; `conflict` with
    /// the cure otherwise.
    [[nodiscard]] result<void> install_roles();
    /// How it stands: columns role, exists, member (this connection may act as it).
    [[nodiscard]] report list_roles();

   private:
    client& client_;
};

}  // namespace libqueue
