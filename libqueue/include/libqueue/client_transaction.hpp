#pragma once

#include <libqueue/client.hpp>

#include <memory>

namespace libqueue {

/// What a client does while this lives is one transaction, which ends with commit() or not at all:
/// for an edit that must not stand unless something else holds. Only for calls that are a single
/// statement each, such as those of `schedules` and `limit_control`; one that would open a
/// transaction of its own throws std::logic_error.
///
/// A connection that is lost meanwhile is not replaced: every call fails until this is gone. After
/// a call that threw, or whose result is a domain error, only the destructor is left.
///
/// One at a time per client, which must outlive it; used by one thread at a time, as the client.
class client_transaction {
   public:
    /// Throws `failure` when the database is away.
    explicit client_transaction(client& on);
    client_transaction(const client_transaction&) = delete;
    client_transaction& operator=(const client_transaction&) = delete;
    /// Rolls back unless committed.
    ~client_transaction();

    /// Throws `failure`; when its outcome_unknown() is true it may be committed.
    void commit();

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace libqueue
