#include "processors/mint/programs.hpp"

namespace libqueue::processors::mint::programs {

const public_key& system() {
    static const public_key key;
    return key;
}

const public_key& compute_budget() {
    static const auto key =
        public_key::parse("ComputeBudget111111111111111111111111111111").value();
    return key;
}

const public_key& token_2022() {
    static const auto key =
        public_key::parse("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb").value();
    return key;
}

const public_key& associated_token() {
    static const auto key =
        public_key::parse("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL").value();
    return key;
}

}  // namespace libqueue::processors::mint::programs
