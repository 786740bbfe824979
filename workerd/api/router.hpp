#pragma once

#include "route.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace workerd::api {

/// Finds the route of a request. Immutable after construction; any thread.
class router {
   public:
    using parameters = std::map<std::string, std::string, std::less<>>;

    class match {
       public:
        match() = default;
        const route* found = nullptr;
        parameters path;
        /// Methods the path has, when it has not the one asked for.
        std::vector<verb> others;
    };

    /// The routes must outlive the router. Throws std::logic_error when two of them answer the same
    /// request or one names an unknown right: a fault of this program, found at its start.
    explicit router(std::span<const route> routes);

    /// `path` below /api/v1, as it came (percent-encoded). Literal segments win over parameters.
    [[nodiscard]] match find(verb method, std::string_view path) const;
    [[nodiscard]] match find_any(std::string_view path) const;

   private:
    std::span<const route> routes_;
};

/// "a%20b" as text; refuses (400) broken escapes, control characters and what is not UTF-8.
[[nodiscard]] std::string decoded(std::string_view text, std::string_view where);

/// "a=1&b=2"; refuses a name that comes twice.
[[nodiscard]] router::parameters parse_query(std::string_view query);

}  // namespace workerd::api
