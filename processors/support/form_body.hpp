#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace libqueue::processors {

/// Percent-encoding of RFC 3986 section 2.1: all but letters, digits and `-._~`, byte by byte.
/// For values in a path or a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Builds `application/x-www-form-urlencoded` text (WHATWG URL section 5), fields in the order
/// they were added; the same for a body and for a query. Names are written as given: nested ones
/// as `metadata[libqueue_job]` or `items[0][id]`, whose brackets stay and whose other characters
/// are encoded; `nested` makes them. Blanks become `%20`, which every decoder reads.
class form_body {
   public:
    form_body() = default;

    void add(std::string_view name, std::string_view value);
    void add(std::string_view name, std::int64_t value);
    void add(std::string_view name, bool value) = delete;  ///< would become "1": say "true"
    void add(std::string_view name, const char* value) { add(name, std::string_view{value}); }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

   private:
    std::string text_;
};

/// `outer[inner]`.
[[nodiscard]] std::string nested(std::string_view outer, std::string_view inner);
/// `outer[3]`.
[[nodiscard]] std::string nested(std::string_view outer, std::size_t index);

}  // namespace libqueue::processors
