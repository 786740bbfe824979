#include "processors/mint/message.hpp"

#include <algorithm>
#include <cstdint>

namespace libqueue::processors::mint {

namespace {

int rank(const account_use& use) {
    return (use.signs ? 0 : 2) + (use.writes ? 0 : 1);
}

/// Every account once, in the order of the message.
std::vector<account_use> accounts_of(const public_key& payer,
                                     const std::vector<instruction>& instructions) {
    std::vector<account_use> all{account_use{payer, true, true}};
    const auto add = [&all](const account_use& use) {
        const auto known = std::find_if(all.begin(), all.end(), [&use](const account_use& other) {
            return other.key == use.key;
        });
        if (known == all.end()) {
            all.push_back(use);
        } else {
            known->signs = known->signs || use.signs;
            known->writes = known->writes || use.writes;
        }
    };
    for (const auto& call : instructions) {
        std::for_each(call.accounts.begin(), call.accounts.end(), add);
    }
    for (const auto& call : instructions) {
        add(account_use{call.program, false, false});
    }
    std::stable_sort(all.begin(), all.end(), [](const account_use& left, const account_use& right) {
        return rank(left) < rank(right);
    });
    return all;
}

char index_of(const std::vector<account_use>& all, const public_key& key) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&key](const account_use& use) { return use.key == key; });
    return static_cast<char>(found - all.begin());
}

}  // namespace

std::string shortvec(std::size_t value) {
    std::string out;
    for (; value > 0x7F; value >>= 7U) {
        out.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
    }
    out.push_back(static_cast<char>(value));
    return out;
}

std::string little_endian(std::uint64_t value, std::size_t width) {
    std::string out;
    for (std::size_t i = 0; i < width; ++i) {
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
    }
    return out;
}

std::string encode_message(const public_key& payer, const std::vector<instruction>& instructions,
                           const public_key& blockhash) {
    const auto accounts = accounts_of(payer, instructions);
    const auto count = [&accounts](int which) {
        return static_cast<char>(
            std::count_if(accounts.begin(), accounts.end(),
                          [which](const account_use& use) { return rank(use) == which; }));
    };
    std::string out;
    out.push_back(static_cast<char>(count(0) + count(1)));
    out.push_back(count(1));
    out.push_back(count(3));
    out += shortvec(accounts.size());
    for (const auto& use : accounts) {
        out += use.key.bytes();
    }
    out += blockhash.bytes();
    out += shortvec(instructions.size());
    for (const auto& call : instructions) {
        out.push_back(index_of(accounts, call.program));
        out += shortvec(call.accounts.size());
        for (const auto& use : call.accounts) {
            out.push_back(index_of(accounts, use.key));
        }
        out += shortvec(call.data.size());
        out += call.data;
    }
    return out;
}

std::string encode_transaction(std::string_view signature, std::string_view message) {
    std::string out = shortvec(1);
    out += signature;
    out += message;
    return out;
}

}  // namespace libqueue::processors::mint
