#include "counterpart.hpp"
#include "http_receiver.hpp"
#include "temp_dir.hpp"

#include <libqueue/webhook.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>

namespace test {

namespace {

constexpr const char* master_text{
    "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"};
constexpr const char* key_id{"3f2504e0-4f89-41d3-9a0c-0305e82c3301"};

/// A receiver as the Standard Webhooks specification asks for: it verifies signature and timestamp
/// before it believes anything, and knows the ids it has seen.
class webhook_counterpart final : public counterpart {
   public:
    webhook_counterpart() {
        for (const auto& file : {secret_, master_}) {
            std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        }
        receiver_.reply_with([this](const http_request& request) { return take(request); });
    }

    [[nodiscard]] std::string processors_yaml() const override {
        return "  webhook: {allow_private: true, allow_http: true, timeout: 1s, secret_file: " +
               secret_.string() + ", endpoint_key_file: " + master_.string() + "}\n";
    }

    [[nodiscard]] std::string more_yaml() const override { return {}; }

    [[nodiscard]] std::string preparation_sql() const override {
        // Short waits, and no circuit: tests want attempts, not mercy. The key has an id of ours,
        // so that this side knows the secret without asking.
        return "SELECT webhooks.endpoint_create(NULL, '" + receiver_.url("/hook") +
               "', waits => array_fill(interval '200 ms', ARRAY[50]));"
               "UPDATE webhooks.signing_key SET id = '" +
               key_id +
               "';"
               "SELECT queue.limit_set('webhook_endpoints', "
               "breaker_ratio => 0);";
    }

    [[nodiscard]] std::string kind() const override { return "webhook.event"; }
    [[nodiscard]] std::string payload(int key) const override {
        return R"({"endpoint": 1, "event": "order.paid", "event_id": "evt_)" + std::to_string(key) +
               R"(", "at": "2026-11-21T10:00:00.000Z", "data": {"key": )" + std::to_string(key) +
               "}}";
    }
    [[nodiscard]] std::string bad_payload() const override {
        return R"({"endpoint": "one", "event": "a b"})";
    }

    void fail_with(provider_fault fault) override {
        const std::lock_guard lock{mutex_};
        faults_.set(fault);
    }
    [[nodiscard]] int effects(int key) const override {
        const std::lock_guard lock{mutex_};
        return static_cast<int>(seen_.count("evt_" + std::to_string(key)));
    }
    [[nodiscard]] int effects() const override {
        const std::lock_guard lock{mutex_};
        return static_cast<int>(seen_.size());
    }

   private:
    http_reply take(const http_request& request) {
        const std::lock_guard lock{mutex_};
        const auto fault = faults_.next();
        if (fault == provider_fault::down) {
            return http_reply{503};
        }
        if (fault == provider_fault::slow) {
            http_reply late{500};
            late.delay = std::chrono::seconds{3};
            return late;
        }
        const auto id = request.header("webhook-id");
        const auto timestamp = request.header("webhook-timestamp");
        const auto signature = request.header("webhook-signature");
        const libqueue::webhook::received_headers headers{id, timestamp, signature};
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        if (!libqueue::webhook::verify({&key_, 1}, headers, request.body, now)) {
            return http_reply{401};
        }
        // The same id with another body would be another event under a known name.
        const auto [place, added] = seen_.emplace(id, request.body);
        if (!added && place->second != request.body) {
            return http_reply{409};
        }
        http_reply reply{200};
        reply.drop = fault == provider_fault::lost_reply;
        return reply;
    }

    temp_dir files_;
    std::filesystem::path secret_{files_.write("secret", "whsec_" + std::string(32, 'A'))};
    std::filesystem::path master_{files_.write("master", master_text)};
    libqueue::webhook::key key_{libqueue::webhook::master_key::parse(master_text)
                                    .value()
                                    .derive(1, key_id, libqueue::webhook::scheme::v1)};
    mutable std::mutex mutex_;
    fault_switch faults_;
    std::map<std::string, std::string> seen_;  ///< body by webhook-id
    // Last: its threads use all of the above.
    http_receiver receiver_;
};

}  // namespace

std::unique_ptr<counterpart> make_webhook_counterpart() {
    return std::make_unique<webhook_counterpart>();
}

}  // namespace test
