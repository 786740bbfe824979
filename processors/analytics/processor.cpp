#include "processors/analytics/processor.hpp"

#include "processors/analytics/ingest.hpp"
#include "processors/analytics/slack.hpp"
#include "processors/analytics/upkeep.hpp"

#include <libqueue/backoff.hpp>

#include <processors_analytics/migrations.hpp>

#include <stdexcept>
#include <utility>

namespace libqueue::processors::analytics {

namespace {

constexpr std::size_t shortest_key = 32;
constexpr std::chrono::hours longest_late{365 * 24};
constexpr std::chrono::hours longest_ahead{7 * 24};

class ingester {
   public:
    explicit ingester(std::shared_ptr<const options> with) : with_{std::move(with)} {}

    boost::asio::awaitable<batch_outcome> operator()(std::vector<job_context*> jobs) const {
        return ingest(with_, std::move(jobs));
    }

   private:
    // Shared by the copies of the registration and the batches under way.
    std::shared_ptr<const options> with_;
};

class slack_poster {
   public:
    explicit slack_poster(std::shared_ptr<const options> with) : with_{std::move(with)} {}

    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        return post_to_slack(with_, context);
    }

   private:
    // Shared as in ingester.
    std::shared_ptr<const options> with_;
};

void check(const options& given) {
    if (given.customer_key.reveal().size() < shortest_key) {
        throw std::invalid_argument{"customer_key: expected at least 32 bytes, got " +
                                    std::to_string(given.customer_key.reveal().size())};
    }
    if (given.max_late.count() < 0 || given.max_late > longest_late) {
        throw std::invalid_argument{"max_late: expected 0 to 365 days"};
    }
    if (given.max_ahead.count() < 0 || given.max_ahead > longest_ahead) {
        throw std::invalid_argument{"max_ahead: expected 0 to 7 days"};
    }
}

registration of_ingest(const char* kind, int batch_max, std::shared_ptr<const options> with) {
    registration entry{kind};
    entry.handle_many = ingester{std::move(with)};
    entry.options.batch_max = batch_max;
    entry.options.timeout = std::chrono::seconds{5};
    return entry;
}

registration of_upkeep(const char* kind, coroutine_handler handle) {
    registration entry{kind};
    entry.handle = std::move(handle);
    entry.options.timeout = std::chrono::minutes{5};
    return entry;
}

}  // namespace

std::vector<registration> make_registrations(options given) {
    check(given);
    const auto with = std::make_shared<const options>(std::move(given));
    std::vector<registration> kinds;
    // Some ten thousand events to a statement: a tenth of a second in which nobody else counts.
    kinds.push_back(of_ingest("analytics.event", 2'000, with));
    kinds.push_back(of_ingest("analytics.batch", 20, with));
    kinds.push_back(of_upkeep("analytics.scores", compute_scores));
    kinds.push_back(of_upkeep("analytics.attribution", attribute));
    kinds.push_back(of_upkeep("analytics.alerts", check_alerts));
    kinds.push_back(of_upkeep("analytics.prune", prune));
    if (!with->slack_url.empty()) {
        kinds.push_back(of_upkeep("analytics.slack", slack_poster{with}));
        kinds.back().options.timeout = std::chrono::seconds{20};
    }
    return kinds;
}

migration_set migrations() {
    return embedded_migrations();
}

}  // namespace libqueue::processors::analytics
