#include "processors/support/sql_text.hpp"

namespace libqueue::processors {

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
