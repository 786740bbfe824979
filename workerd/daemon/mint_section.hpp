#pragma once

#include "config/config.hpp"

#include <libqueue/worker.hpp>

#include <vector>

namespace workerd {

/// The kinds of the section `mint`. Throws std::invalid_argument naming what is wrong with it.
[[nodiscard]] std::vector<libqueue::registration> mint_kinds(const mint_config& given);

/// What they need of the worker: their schema, and the limit `solana` unless the file defines it.
void add_mint(const config& value, libqueue::worker_options& options);

}  // namespace workerd
