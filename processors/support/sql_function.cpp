#include "processors/support/sql_function.hpp"

#include <utility>

namespace libqueue::processors {

statement function_call(std::string_view name,
                        std::vector<std::optional<std::string>> parameters) {
    std::string sql{"SELECT * FROM "};
    sql += name;
    sql += '(';
    for (std::size_t i = 1; i <= parameters.size(); ++i) {
        sql += i == 1 ? "$" : ", $";
        sql += std::to_string(i);
    }
    sql += ')';
    return statement{std::move(sql), std::move(parameters)};
}

std::string text_array(const std::vector<std::string>& texts) {
    std::string out{"{"};
    for (const auto& text : texts) {
        out += out.size() == 1 ? "\"" : ",\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') {
                out += '\\';
            }
            out += c;
        }
        out += '"';
    }
    return out += '}';
}

}  // namespace libqueue::processors
