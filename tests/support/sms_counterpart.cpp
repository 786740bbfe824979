#include "counterpart.hpp"
#include "http_receiver.hpp"
#include "temp_dir.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace test {

namespace {

namespace json = boost::json;

std::string decoded(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size()) {
            out += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out;
}

/// Of a form or a query.
std::string field(const std::string& form, const std::string& name) {
    const auto at = form.find(name + "=");
    if (at == std::string::npos) {
        return {};
    }
    const auto begin = at + name.size() + 1;
    return decoded(form.substr(begin, form.find('&', begin) - begin));
}

/// A provider that sends whatever it is posted, as often as it is, and lists by number what it
/// sent.
class sms_counterpart final : public counterpart {
   public:
    sms_counterpart() {
        std::filesystem::permissions(token_, std::filesystem::perms::owner_read);
        receiver_.reply_with([this](const http_request& request) { return take(request); });
    }

    [[nodiscard]] std::string processors_yaml() const override {
        auto url = receiver_.url("");
        return "  sms: {account: AC0, from: SHOP, timeout: 1s, settle: 100ms, per_minute: 0, "
               "on_unknown: look_up, allow_http: true, allow_private: true, token_file: " +
               token_.string() + ", url: \"" + url + "\"}\n";
    }

    [[nodiscard]] std::string kind() const override { return "sms.send"; }
    [[nodiscard]] std::string payload(int key) const override {
        return R"({"to": ")" + number_of(key) + R"(", "text": "code 1234"})";
    }
    [[nodiscard]] std::string bad_payload() const override {
        return R"({"to": "0660 1234567", "text": "t"})";
    }
    [[nodiscard]] bool reconciles() const override { return true; }

    void fail_with(provider_fault fault) override {
        const std::lock_guard lock{mutex_};
        faults_.set(fault);
    }
    [[nodiscard]] int effects(int key) const override {
        const std::lock_guard lock{mutex_};
        const auto found = sent_.find(number_of(key));
        return found == sent_.end() ? 0 : static_cast<int>(found->second.size());
    }
    [[nodiscard]] int effects() const override {
        const std::lock_guard lock{mutex_};
        int all = 0;
        for (const auto& [number, texts] : sent_) {
            all += static_cast<int>(texts.size());
        }
        return all;
    }

   private:
    [[nodiscard]] static std::string number_of(int key) {
        return "+4366" + std::to_string(10'000'000 + key);
    }

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
        auto reply = request.method == "GET" ? list(request) : send(request);
        reply.drop = fault == provider_fault::lost_reply;
        return reply;
    }

    http_reply send(const http_request& request) {
        auto& texts = sent_[field(request.body, "To")];
        texts.push_back(field(request.body, "Body"));
        return http_reply{201, R"({"sid": "SM0", "status": "queued"})"};
    }

    http_reply list(const http_request& request) {
        json::array messages;
        for (const auto& text : sent_[field(request.target, "To")]) {
            messages.push_back(json::object{{"sid", "SM0"}, {"status", "sent"}, {"body", text}});
        }
        return http_reply{200, json::serialize(json::object{{"messages", std::move(messages)}})};
    }

    temp_dir files_;
    std::filesystem::path token_{files_.write("token", "secret")};
    mutable std::mutex mutex_;
    fault_switch faults_;
    std::map<std::string, std::vector<std::string>> sent_;  ///< texts by number
    // Last: its threads use all of the above.
    http_receiver receiver_;
};

}  // namespace

std::unique_ptr<counterpart> make_sms_counterpart() {
    return std::make_unique<sms_counterpart>();
}

}  // namespace test
