#pragma once

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/principal.hpp>
#include <libqueue/statement.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue {

namespace pg {
class connection;
}

class keyring;

class client_options {
   public:
    client_options() = default;
    explicit client_options(std::string dsn_) : dsn{std::move(dsn_)} {}
    std::string dsn;              ///< libpq string or URI; empty: PG* environment
    std::string schema{"queue"};  ///< as installed
    std::string application_name{"libqueue"};
    std::chrono::milliseconds connect_timeout{10'000};
    /// 0: the server's own. Refused behind a pooler (invalid_argument at the first use of the
    /// connection), where it would stay in a session that others get next.
    std::chrono::milliseconds statement_timeout{0};
    /// Seals payloads of `encrypted_kinds`, opens payloads and outputs that are read. Shared with
    /// whoever reloads it.
    std::shared_ptr<const libqueue::keyring> keyring;
    /// Kinds whose payloads never leave this process unsealed. The list decides and not the
    /// database, which would have seen the payload before it could object; of a kind that is
    /// encrypted there and not here an enqueue is refused (invalid_payload).
    std::vector<std::string> encrypted_kinds;
};

/// Blocking producer and job API over one connection of its own, which is opened at first use and
/// again after a loss. One thread at a time.
///
/// Domain outcomes come as `result`; a database that is away throws `failure`. When
/// `failure::outcome_unknown()` is true the enqueue may have happened: repeat it only with an
/// idempotency key.
class client {
   public:
    /// Throws `domain_failure` (invalid_argument) when `options.schema` is no schema name.
    explicit client(client_options options);
    client(client&&) noexcept;
    client& operator=(client&&) noexcept;
    ~client();

    /// One job in its own transaction.
    [[nodiscard]] result<enqueued> enqueue(const new_job& job);
    /// All or none, in one transaction. Ids come in the order of `jobs`. Over 100 jobs of equal
    /// kind and options travel as arrays.
    [[nodiscard]] result<std::vector<job_id>> enqueue_many(std::span<const new_job> jobs);

    [[nodiscard]] result<job_info> get(job_id id);
    /// Waits until the job is completed, cancelled or dead, or the time is up (then returns the job
    /// as it stands). Polls.
    [[nodiscard]] result<job_info> wait(job_id id, std::chrono::milliseconds at_most);
    /// Cancels a waiting job at once; a running one is told and decides. Returns false when it was
    /// running (the request stands). Finished or dead: `conflict`.
    [[nodiscard]] result<bool> cancel(job_id id, std::string_view reason = {});
    /// Run now: a scheduled or retrying job becomes due, a dead or cancelled one goes back in line
    /// with fresh attempts and the same id. Running or completed: `conflict`.
    [[nodiscard]] result<void> retry(job_id id);

    /// From now on everything this client does, and every class that uses it, is done on behalf of
    /// `who`: each transaction sets the tenant, so that row-level security shows and takes that
    /// tenant's rows only (another's are `not_found`, as those that do not exist); each action
    /// writes its audit record in its own transaction; a viewer's transactions are read-only.
    /// Nothing stays in the session behind: a transaction pooler may stand between.
    ///
    /// `at_most` ends a statement that takes longer (57014); 0: as `statement_timeout` says.
    /// `invalid_argument`: an actor, request id or tenant outside its limits. A tenant in a
    /// database whose roles are not installed: every call is a `schema_mismatch` then.
    [[nodiscard]] result<void> act_as(const principal& who, std::chrono::milliseconds at_most = {});
    /// Ends `act_as`: with the rights of the connection again, and without audit.
    void act_as_self() noexcept;
    /// Unset: acts as itself.
    [[nodiscard]] const std::optional<principal>& acting_as() const noexcept;

    /// One statement that reads, in a transaction of its own. It sees what the principal may see.
    /// For an answer with names and types of columns see `operations::query`.
    [[nodiscard]] result<rows> query(const statement& asked);
    /// One statement that changes something, and its audit record in the same transaction.
    /// `action` is `resource.verb` in lower case, `target` what it was done to (empty: nothing
    /// single), `detail` a JSON object or empty: never a payload, a secret or personal data.
    [[nodiscard]] result<rows> query_audited(std::string_view action, std::string_view target,
                                             std::string_view detail, const statement& asked);

    /// The connection, for the operator API of this library. Opens it if need be.
    [[nodiscard]] pg::connection& connection();
    [[nodiscard]] const std::string& schema() const noexcept;
    /// That of the options; may be null.
    [[nodiscard]] const std::shared_ptr<const keyring>& keys() const noexcept;

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace libqueue
