#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace libqueue::processors::email {

/// One correspondent: an address and perhaps a name to show.
class mailbox {
   public:
    /// `a@b.c` or `Name <a@b.c>`. The address is a dot-atom and a host name of letters, digits and
    /// hyphens, at most 64 + 1 + 253 bytes. Before the @ any UTF-8 will do where the server speaks
    /// SMTPUTF8; the domain is ASCII (write international ones in their xn-- form). The name is any
    /// UTF-8 without control characters. Nothing else, which is what
    /// keeps a field from adding recipients or headers. Empty when the text is not that.
    [[nodiscard]] static std::optional<mailbox> parse(std::string_view text);

    [[nodiscard]] std::string_view domain() const noexcept {
        return std::string_view{address}.substr(address.find('@') + 1);
    }

    std::string name;
    std::string address;

   private:
    mailbox(std::string_view name_, std::string_view address_) : name{name_}, address{address_} {}
};
static_assert(!std::is_aggregate_v<mailbox>);

}  // namespace libqueue::processors::email
