#include "counterpart.hpp"
#include "temp_dir.hpp"

#include <filesystem>

namespace test {

namespace {

/// There is no other side: what counts is a row of the same database, so nothing of it can fail by
/// itself. One event per business key, under an id of its own.
class analytics_counterpart : public counterpart {
   public:
    analytics_counterpart() : key_file_{files_.write("customer-key", std::string(32, 'k'))} {
        std::filesystem::permissions(key_file_, std::filesystem::perms::owner_read);
    }

    std::string processors_yaml() const override {
        return "  analytics: {customer_key_file: " + key_file_.string() + "}\n";
    }
    /// The clock's jobs would come between those of the test.
    std::string preparation_sql() const override {
        return "SELECT queue.pause_schedule(name) FROM queue.schedules "
               "WHERE name LIKE 'analytics.%'";
    }
    std::string kind() const override { return "analytics.event"; }
    std::string payload(int key) const override {
        return R"({"type": "ticket-purchase", "id": "key-)" + std::to_string(key) +
               R"(", "amount": 100, "currency": "EUR", )"
               R"("customer": "c)" +
               std::to_string(key % 97) + R"(", "order": "o)" + std::to_string(key) + R"("})";
    }
    std::string bad_payload() const override { return R"({"type": "nothing-we-know"})"; }

    void fail_with(provider_fault) override {}
    int effects(int) const override { return 0; }
    int effects() const override { return 0; }
    /// What was added to the buckets over what is one per event tells of an event counted twice,
    /// which its one row in analytics.event cannot.
    std::string effects_sql() const override {
        return "SELECT (SELECT count(*) FROM analytics.event WHERE event_key = "
               "analytics.event_key(NULL, 'key-' || $1)) + "
               "(SELECT coalesce(sum(events), 0) FROM analytics.bucket WHERE minutes = 1440) - "
               "(SELECT count(*) FROM analytics.event)";
    }

   private:
    temp_dir files_;
    std::filesystem::path key_file_;
};

}  // namespace

std::unique_ptr<counterpart> make_analytics_counterpart() {
    return std::make_unique<analytics_counterpart>();
}

}  // namespace test
