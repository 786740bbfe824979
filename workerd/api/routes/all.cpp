#include "routes/routes.hpp"

namespace workerd::api {

const std::vector<route>& all_routes() {
    static const std::vector<route> all = [] {
        std::vector<route> rows;
        for (const auto part : {
                 self_routes(),        access_routes(),    batch_routes(),        limit_routes(),
                 openapi_routes(),     processor_routes(), queue_routes(),        job_routes(),
                 dead_letter_routes(), operation_routes(), overview_routes(),     workflow_routes(),
                 schedule_routes(),    stream_routes(),    subscription_routes(), worker_routes(),
                 alert_routes(),       health_routes(),    stats_routes(),
             })
            rows.insert(rows.end(), part.begin(), part.end());
        return rows;
    }();
    return all;
}

}  // namespace workerd::api
