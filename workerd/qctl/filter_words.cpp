#include "filter_words.hpp"

#include "faults.hpp"
#include "unwrapped.hpp"

#include <algorithm>

namespace qctl {

libqueue::filter filter_of_words(const invocation& call, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < call.arguments.size(); ++i) {
        text += (text.empty() ? "" : " ") + call.arguments[i];
    }
    auto parsed = libqueue::parse_filter(text);
    if (!parsed) {
        throw usage(parsed.error().message);
    }
    for (const auto* const flag : {"state", "queue", "kind", "tag", "tenant"}) {
        const auto value = call.text(flag);
        if (!value) {
            continue;
        }
        // A pattern is one, a list of states is one; everything else is taken as it stands.
        const bool plain = std::string_view{flag} == "state" || std::string_view{flag} == "kind";
        auto term = libqueue::parse_filter(std::string{flag} + ":" +
                                           (plain ? *value : libqueue::quote_filter_value(*value)));
        if (!term) {
            throw usage("--" + std::string{flag} + ": " + term.error().message);
        }
        std::ranges::move(term->terms, std::back_inserter(parsed->terms));
    }
    return *std::move(parsed);
}

}  // namespace qctl
