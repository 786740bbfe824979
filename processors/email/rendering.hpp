#pragma once

#include <libqueue/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue::processors::email {

/// How a template is turned into text.
class rendering {
   public:
    rendering() = default;
    enum class escaping { html, none };
    escaping escape{escaping::html};     ///< of `{{x}}`; `{{{x}}}` is never escaped
    std::string locale{"default"};       ///< for formatDate, formatTime, formatCurrency
    std::string zone{"UTC"};             ///< for formatDate and formatTime
    std::size_t most_bytes{2UL << 20U};  ///< of the result before escaping
    std::size_t most_steps{20'000};      ///< tags looked up and items gone through
};
static_assert(!std::is_aggregate_v<rendering>);

/// Mustache (kainjow's) with strict variables and a few helpers:
///
///   {{name}} {{user.name}} {{.}}        escaped; a variable that is missing or null is an error
///   {{{html}}} {{&html}}                as it is
///   {{#list}}..{{else}}..{{/list}}      once per item, or once when true; `else` when empty,
///   false,
///   {{^list}}..{{/list}}                0, "" or missing
///   {{#if x}} {{#unless x}} {{#each x}} the same in other words, closed by {{/if}} and so on
///   {{#eq a "b"}} ne lt le gt ge        both as numbers when both are, else as text; strict
///   {{formatDate at "long"}} {{formatTime at}} {{formatCurrency cents "EUR"}}   see formats.hpp
///   {{! a comment }}
///
/// A name is looked for from the innermost section outwards. Partials and changed delimiters are
/// refused: a template is one text. What variables hold is never read as a template.
///
/// `variables` is a JSON object. Sections nest 16 deep at most.
/// Error: invalid_argument naming the variable or the place in the template, never a value.
/// Pure; any thread.
[[nodiscard]] result<std::string> render(std::string_view source, std::string_view variables,
                                         const rendering& how);

}  // namespace libqueue::processors::email
