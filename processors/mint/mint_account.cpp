#include "processors/mint/mint_account.hpp"

#include "processors/mint/programs.hpp"

namespace libqueue::processors::mint {

namespace {

constexpr std::size_t at_supply = 36;
constexpr std::size_t at_decimals = 44;
constexpr std::size_t at_initialized = 45;
constexpr std::size_t at_type = 165;
constexpr char type_mint = 1;
constexpr std::uint64_t extension_metadata = 19;

/// Takes values off the front; after the first that is not there everything is empty.
class cursor {
   public:
    explicit cursor(std::string_view bytes) : rest_{bytes} {}

    std::string_view take(std::uint64_t count) {
        if (count > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::uint64_t integer(std::size_t width) {
        std::uint64_t value = 0;
        const auto bytes = take(width);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
        }
        return value;
    }
    std::string text() { return std::string{take(integer(4))}; }
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

   private:
    std::string_view rest_;
    bool ok_{true};
};

std::optional<token_content> content_of(std::string_view data) {
    if (data.size() <= at_type + 1) {
        return std::nullopt;
    }
    cursor extensions{data.substr(at_type + 1)};
    while (!extensions.at_end()) {
        const auto type = extensions.integer(2);
        const auto value = extensions.take(extensions.integer(2));
        if (type != extension_metadata) {
            continue;
        }
        cursor fields{value};
        (void)fields.take(32);  // who may update it
        (void)fields.take(32);  // the mint itself
        token_content content;
        content.name = fields.text();
        content.symbol = fields.text();
        content.uri = fields.text();
        return fields.ok() ? std::optional{content} : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

account_verdict judge_account(const std::optional<account>& found, const mint_order& order) {
    using enum account_finding;
    if (!found || (found->owner == programs::system() && found->data.empty())) {
        return {free, {}};
    }
    if (found->owner != programs::token_2022()) {
        return {other, "it belongs to the program " + found->owner.text()};
    }
    const std::string_view data{found->data};
    if (data.size() <= at_type || data[at_type] != type_mint || data[at_initialized] != 1) {
        return {other, "it is no initialized mint of Token-2022"};
    }
    cursor supply{data.substr(at_supply)};
    if (supply.integer(8) != 1 || data[at_decimals] != 0) {
        return {other, "its supply is not one token without decimals"};
    }
    // The first four bytes say whether there is an authority that may mint.
    if (data.substr(0, 4) != std::string_view{"\0\0\0\0", 4}) {
        return {other, "somebody may still mint more of it"};
    }
    const auto content = content_of(data);
    if (!content || *content != order.content) {
        return {other, "it was minted with another name, symbol or URI"};
    }
    return {ours, {}};
}

}  // namespace libqueue::processors::mint
