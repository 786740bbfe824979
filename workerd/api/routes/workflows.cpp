#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/jobs.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace workerd::api {

namespace {

std::size_t place_of(const libqueue::report& rows, std::string_view column) {
    const auto found = std::ranges::find(rows.columns, column, &libqueue::column::name);
    return static_cast<std::size_t>(found - rows.columns.begin());
}

// The graph of jobs that one is a part of: nodes are the rows of the lineage, edges lead from a job
// to what follows from it.
answer show_workflow(api_call& call) {
    const auto nodes = libqueue::jobs{call.database()}.lineage(call.id("job_id")).value();
    const auto from = place_of(nodes, "from_id");
    const auto relation = place_of(nodes, "relation");
    std::string edges;
    for (const auto& row : nodes.rows) {
        if (row[from]) {
            edges += (edges.empty() ? "" : ",") + (R"({"from":)" + *row[from]) + R"(,"to":)" +
                     row.front().value_or("null") + R"(,"relation":)" +
                     json_string(row[relation].value_or("")) + "}";
        }
    }
    return answer{200, R"({"nodes":)" + json_array(nodes) + R"(,"edges":[)" + edges + "]}"};
}

constexpr std::array path{
    field{"job_id", value_type::integer, "Any job of it.", true, 1,
          std::numeric_limits<std::int64_t>::max()},
};

constexpr std::array rows{
    route{.path = "/workflows/{job_id}",
          .right = "jobs.read",
          .summary = "The graph of jobs linked with one.",
          .parameters = path,
          .run = show_workflow},
};

}  // namespace

std::span<const route> workflow_routes() {
    return rows;
}

}  // namespace workerd::api
