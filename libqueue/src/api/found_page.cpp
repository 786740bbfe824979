#include "api/found_page.hpp"

#include <utility>

namespace libqueue::api {

found_page make_page(report rows, std::size_t limit) {
    found_page page;
    std::optional<std::string> last;
    if (!rows.rows.empty()) {
        last = rows.rows.back().back();
        if (!rows.rows.back().front()) {
            rows.capped = true;
            rows.rows.pop_back();
        }
    }
    if (rows.capped || rows.rows.size() >= limit) {
        page.next = std::move(last);
    }
    rows.columns.pop_back();
    for (auto& row : rows.rows) {
        page.behind.push_back(row.back().value_or(""));
        row.pop_back();
    }
    page.rows = std::move(rows);
    return page;
}

}  // namespace libqueue::api
