#pragma once

#include "processors/mint/public_key.hpp"

namespace libqueue::processors::mint::programs {

// Addresses of the programs a mint calls: the same on every cluster.

[[nodiscard]] const public_key& system();
[[nodiscard]] const public_key& compute_budget();
[[nodiscard]] const public_key& token_2022();
[[nodiscard]] const public_key& associated_token();

}  // namespace libqueue::processors::mint::programs
