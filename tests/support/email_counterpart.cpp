#include "counterpart.hpp"
#include "smtp_server.hpp"

#include <map>
#include <mutex>
#include <set>

namespace test {

namespace {

/// The value of a header that is on one line.
std::string header(const std::string& message, const std::string& name) {
    const auto at = message.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
        return {};
    }
    const auto begin = at + name.size() + 4;
    return message.substr(begin, message.find("\r\n", begin) - begin);
}

/// A mail server whose mailboxes know a message they already have by its Message-ID.
class email_counterpart final : public counterpart {
   public:
    [[nodiscard]] std::string processors_yaml() const override {
        return "  email: {host: 127.0.0.1, port: " + std::to_string(server_.port()) +
               ", tls: none, from: shop@example.com, timeout: 1s, per_minute: 0}\n";
    }

    [[nodiscard]] std::string kind() const override { return "email.send"; }
    [[nodiscard]] std::string payload(int key) const override {
        const auto number = std::to_string(key);
        return R"({"to": "customer)" + number +
               R"(@example.com", "template": "welcome", "variables": {"customer_name": "Ann"},)" +
               R"( "headers": {"X-Key": ")" + number + R"("}})";
    }
    [[nodiscard]] std::string bad_payload() const override {
        return R"({"to": "nobody", "template": "welcome"})";
    }

    void fail_with(provider_fault fault) override {
        const std::lock_guard lock{mutex_};
        server_.fail_with(std::string{to_string(fault)});
    }
    [[nodiscard]] int effects(int key) const override {
        const std::lock_guard lock{mutex_};
        read();
        const auto found = by_key_.find(std::to_string(key));
        return found == by_key_.end() ? 0 : static_cast<int>(found->second.size());
    }
    [[nodiscard]] int effects() const override {
        const std::lock_guard lock{mutex_};
        read();
        int all = 0;
        for (const auto& [key, ids] : by_key_) {
            all += static_cast<int>(ids.size());
        }
        return all;
    }

   private:
    void read() const {
        for (const auto& message : server_.messages_since(offset_)) {
            by_key_[header(message.data, "X-Key")].insert(header(message.data, "Message-ID"));
        }
    }

    mutable std::mutex mutex_;
    mutable std::size_t offset_{0};
    mutable std::map<std::string, std::set<std::string>> by_key_;
    smtp_server server_;
};

}  // namespace

std::unique_ptr<counterpart> make_email_counterpart() {
    return std::make_unique<email_counterpart>();
}

}  // namespace test
