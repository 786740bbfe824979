#pragma once

#include <string>

namespace libqueue::store {

/// The name under which this host's workers are registered.
[[nodiscard]] std::string host_name();

}  // namespace libqueue::store
