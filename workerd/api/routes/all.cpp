#include "routes/routes.hpp"

namespace workerd::api {

const std::vector<route>& all_routes() {
    static const std::vector<route> all = [] {
        std::vector<route> rows;
        for (const auto part : {
                 self_routes(),
                 queue_routes(),
                 alert_routes(),
                 health_routes(),
                 stats_routes(),
             })
            rows.insert(rows.end(), part.begin(), part.end());
        return rows;
    }();
    return all;
}

}  // namespace workerd::api
