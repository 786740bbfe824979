#pragma once

#include <string>

namespace workerd {

/// A token with every right for the development database, which is brought up to date for it. It
/// ends after a week. Blocks; empty when there is none to be had: the worker will say why.
[[nodiscard]] std::string make_dev_token(const std::string& dsn, const std::string& schema);

}  // namespace workerd
