#include "routes/routes.hpp"

namespace workerd::api {

const std::vector<route>& all_routes() {
    static const std::vector<route> all = [] {
        std::vector<route> rows;
        for (const auto part : {
                 self_routes(),
                 access_routes(),
                 batch_routes(),
                 limit_routes(),
                 processor_routes(),
                 queue_routes(),
                 job_routes(),
                 dead_letter_routes(),
                 operation_routes(),
                 overview_routes(),
                 workflow_routes(),
                 schedule_routes(),
                 subscription_routes(),
                 worker_routes(),
             })
            rows.insert(rows.end(), part.begin(), part.end());
        return rows;
    }();
    return all;
}

}  // namespace workerd::api
