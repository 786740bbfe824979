#pragma once

#include <sys/socket.h>

namespace libqueue::processors {

/// Whom a transfer may connect to. Payloads are written by whoever may enqueue, so a URL in one
/// must not reach the operator's own network (server-side request forgery).
enum class address_policy {
    public_only,  ///< globally reachable unicast only
    any,          ///< tests, and installations that deliver inside their own network
};

/// Whether the address is globally reachable unicast.
///
/// IPv4: everything outside the IANA special-purpose registry, multicast and class E. IPv6: only
/// 2000::/3, less its special-purpose parts. Addresses that carry an IPv4 address inside
/// (v4-mapped, NAT64, 6to4, Teredo) are refused whatever they carry: a gateway would forward them
/// to places this check cannot see. Other families are not public.
///
/// Decide on the resolved address at the moment of connecting; a name that was checked earlier may
/// resolve differently now.
[[nodiscard]] bool address_is_public(const sockaddr& address) noexcept;

}  // namespace libqueue::processors
