#pragma once

#include "api_rig.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// What the matrix does with a route.
class matrix_row {
   public:
    /// Whose a thing is: `own` belongs to a tenant and is 404 for another's token; `seen` is a list
    /// or something everybody has, where another's token gets an answer without it.
    enum class whose { own, seen };
    using make = std::function<std::string(const test_database&, const std::string& tenant)>;

    matrix_row(std::string route_, whose of_, std::string target_, std::string body_ = {},
               make prepare_ = {})
        : route{std::move(route_)},
          of{of_},
          target{std::move(target_)},
          body{std::move(body_)},
          prepare{std::move(prepare_)} {}

    std::string route;  ///< "GET /queues/{name}"
    whose of;
    std::string target;  ///< with @ where prepare's text goes
    std::string body;    ///< likewise
    make prepare;        ///< makes the thing, of this tenant or of none (""); anew for each request
    bool is_act{true};   ///< a request that changes something: it is in the audit, once
    std::vector<int> also;  ///< answers that are right for somebody who may, beside 2xx
};

[[nodiscard]] const std::vector<matrix_row>& matrix_rows();

}  // namespace test
