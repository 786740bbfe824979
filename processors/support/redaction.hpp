#pragma once

#include <string>
#include <string_view>

namespace libqueue::processors {

/// What may be shown of a text that somebody else wrote (a provider's error message): mail
/// addresses as `j***@example.com`; tokens with a known prefix (`sk_`, `rk_`, `whsec_`, `whsk_`,
/// `Bearer`, `Basic`) and numbers of 12 to 19 digits that pass the check digit of cards (ISO/IEC
/// 7812-1 annex B, "Luhn") as `***`. At most 500 bytes. Pure; any thread.
///
/// It finds what has a shape. What has none (a name, a street) it cannot know: do not show it.
[[nodiscard]] std::string redacted(std::string_view text);

/// The same for JSON text, which may be cut off: the values of fields named like secrets, personal
/// data or amounts (password, authorization, token, api_key, secret, email, phone, ssn,
/// date_of_birth, credit_card, card_number, cvv, account_number, amount; however they are spelled,
/// as ends of names too: `client_secret`) become `"***"`, whatever they are. Other text is
/// `redacted` as a whole.
[[nodiscard]] std::string redacted_json(std::string_view json);

}  // namespace libqueue::processors
