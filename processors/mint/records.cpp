#include "processors/mint/records.hpp"

#include "processors/support/crypto.hpp"

#include <sql/mint_add_attempt.hpp>
#include <sql/mint_complete.hpp>
#include <sql/mint_end_attempt.hpp>
#include <sql/mint_fail.hpp>
#include <sql/mint_open.hpp>
#include <sql/mint_publish.hpp>

#include <charconv>

namespace libqueue::processors::mint {

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? std::optional{value}
                                                                           : std::nullopt;
}

error unreadable(const std::string& what) {
    return error{errc::conflict, "the record of the mint has no readable " + what};
}

}  // namespace

result<mint_record> mint_record::read(const rows& answer) {
    if (answer.size() != 1 || answer.columns() != 7) {
        return unreadable("row");
    }
    mint_record record;
    record.minted = answer.text(0, 0) == "minted";
    record.output = answer.text(0, 1);
    record.fingerprint = answer.text(0, 2);
    if (const auto payer = public_key::parse(answer.text(0, 3))) {
        record.payer = *payer;
    }
    if (answer.value(0, 4)) {
        const auto height = number_of(answer.text(0, 5));
        auto bytes = base64_decode(answer.text(0, 6));
        if (!height || !bytes) {
            return unreadable("transaction");
        }
        signed_transaction made;
        made.signature = answer.text(0, 4);
        made.last_valid_height = *height;
        made.bytes = std::move(*bytes);
        record.under_way = std::move(made);
    }
    return record;
}

statement open_mint(const mint_identity& who, std::string_view strategy,
                    const std::string& fingerprint, const std::string& payer,
                    const std::string& address, const std::string& recipient) {
    return statement{std::string{sql::mint_open},
                     {who.key, who.tenant, std::to_string(who.job_id), std::string{strategy},
                      fingerprint, payer, address, recipient}};
}

statement add_attempt(const mint_identity& who, const public_key& payer,
                      const signed_transaction& made, std::uint64_t lamports) {
    return statement{std::string{sql::mint_add_attempt},
                     {who.key, who.tenant, std::to_string(who.job_id), std::to_string(who.lease),
                      payer.text(), made.signature, std::to_string(made.last_valid_height),
                      base64_encode(made.bytes), std::to_string(lamports)}};
}

statement end_attempt(const std::string& signature, std::string_view state,
                      const std::string& error) {
    return statement{std::string{sql::mint_end_attempt}, {signature, std::string{state}, error}};
}

statement complete_mint(const mint_identity& who, const std::string& output) {
    return statement{std::string{sql::mint_complete}, {who.key, who.tenant, output}};
}

statement fail_mint(const mint_identity& who, const std::string& error) {
    return statement{std::string{sql::mint_fail},
                     {who.key, who.tenant, std::to_string(who.job_id), error}};
}

statement publish(const mint_identity& who, std::string_view topic, const std::string& payload) {
    return statement{std::string{sql::mint_publish}, {std::string{topic}, payload, who.tenant}};
}

}  // namespace libqueue::processors::mint
