#include "api_call.hpp"
#include "qctl/instant.hpp"
#include "routes/routes.hpp"

#include <libqueue/observation.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <chrono>
#include <mutex>
#include <string>

namespace workerd::api {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kept_for = 30s;
constexpr auto slow = 1s;
constexpr auto most_drift = 5s;

int rank(std::string_view status) {
    if (status == "down")
        return 2;
    return status == "degraded" ? 1 : 0;
}

json::object check(std::string name, std::string status, std::string detail) {
    json::object made;
    made["name"] = std::move(name);
    made["status"] = std::move(status);
    made["detail"] = std::move(detail);
    return made;
}

/// Providers say how they are by what our requests met, which changes slowly: for 30 s everybody
/// gets what the first one found.
class kept_report {
   public:
    [[nodiscard]] json::object get(libqueue::client& database) {
        const std::lock_guard lock{mutex_};
        const auto now = std::chrono::steady_clock::now();
        if (report_.empty() || now - made_at_ > kept_for) {
            report_ = ask(database);
            made_at_ = now;
        }
        return report_;
    }

   private:
    static json::object ask(libqueue::client& database) {
        libqueue::observation look{database};
        const auto begun = std::chrono::steady_clock::now();
        const auto offset = look.clock_offset();
        const auto took = std::chrono::steady_clock::now() - begun;
        const bool drifts = offset > most_drift || offset < -most_drift;
        json::array checks;
        checks.push_back(check(
            "database", took > slow ? "degraded" : "up",
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
                " ms"));
        checks.push_back(check("clock", drifts ? "degraded" : "up",
                               std::to_string(offset.count()) + " ms ahead of this host"));
        int worst = drifts || took > slow ? 1 : 0;
        for (const auto& row : look.health().rows) {
            const std::string name = row.at(0).value_or("");
            const std::string status = row.at(1).value_or("down");
            // What others do wrong is worth knowing and no fault of ours.
            if (!name.starts_with("provider "))
                worst = std::max(worst, rank(status));
            checks.push_back(check(name, status, row.at(2).value_or("")));
        }
        json::object made;
        made["status"] = worst == 2 ? "down" : (worst == 1 ? "degraded" : "up");
        made["checked_at"] =
            qctl::iso_instant(std::chrono::time_point_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now()));
        made["checks"] = std::move(checks);
        return made;
    }

    std::mutex mutex_;
    std::chrono::steady_clock::time_point made_at_{};
    json::object report_;
};

answer show_health(api_call& call) {
    static kept_report kept;
    return reply_json(kept.get(call.database()));
}

constexpr std::array rows{
    route{.path = "/health",
          .right = "health.read",
          .summary = "How well the database, workers, alerts and providers are, in detail.",
          .run = show_health},
};

}  // namespace

std::span<const route> health_routes() {
    return rows;
}

}  // namespace workerd::api
