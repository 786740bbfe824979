#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace workerd {

/// Keeps secrets and personal data out of logs: by the key a value stands under, and by what a
/// text looks like. Immutable; any thread.
class redactor {
   public:
    /// `extra` are keys beside the built-in ones.
    explicit redactor(std::span<const std::string> extra = {});

    /// How a key's value may be shown.
    enum class treatment { show, mask, mask_email };
    [[nodiscard]] treatment of_key(std::string_view key) const;

    /// The text with passwords in connection strings and URLs, bearer tokens, `password=…` and the
    /// like, API keys, e-mail addresses and card numbers masked.
    [[nodiscard]] static std::string in_text(std::string_view text);

    /// "john@example.com" as "j***@example.com"; anything else as "***".
    [[nodiscard]] static std::string email(std::string_view text);

    static constexpr std::string_view mask = "***";

   private:
    std::vector<std::string> extra_;
};

}  // namespace workerd
