#pragma once

namespace libqueue {

/// Whether the server session behind a connection string lasts as long as the connection. Behind a
/// pooler in transaction mode (PgBouncer's `pool_mode = transaction`) every transaction may meet
/// another session, so nothing may be left in one: no prepared statement, no SET, no session lock,
/// no LISTEN.
enum class pooling {
    /// Asked at every connect; whatever stands between is taken for a pooler in transaction mode.
    detect,
    session,      ///< no pooler, or one in session mode: not asked
    transaction,  ///< not asked
};

}  // namespace libqueue
