#pragma once

#include "config/settings.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace workerd::api {

class event_hub;

/// What handlers may know of the process they run in. Thread-safe.
class surroundings {
   public:
    surroundings(std::string instance, bool dev) : instance_{std::move(instance)}, dev_{dev} {}
    surroundings(const surroundings&) = delete;
    surroundings& operator=(const surroundings&) = delete;

    /// The worker's name, or host and process.
    [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
    [[nodiscard]] bool dev() const noexcept { return dev_; }

    /// Settings in force, as of the last reload; secrets are file names and never contents.
    [[nodiscard]] std::shared_ptr<const settings_map> settings() const {
        const std::lock_guard lock{mutex_};
        return settings_;
    }
    /// Rights operators have beyond the table.
    [[nodiscard]] std::shared_ptr<const std::set<std::string, std::less<>>> operator_rights()
        const {
        const std::lock_guard lock{mutex_};
        return operator_rights_;
    }
    /// Null where no events are sent.
    [[nodiscard]] event_hub* events() const noexcept { return events_; }
    /// Before the first request.
    void send_events_by(event_hub* hub) noexcept { events_ = hub; }

    void set(settings_map settings, std::set<std::string, std::less<>> operator_rights) {
        auto fresh = std::make_shared<const settings_map>(std::move(settings));
        auto rights =
            std::make_shared<const std::set<std::string, std::less<>>>(std::move(operator_rights));
        const std::lock_guard lock{mutex_};
        settings_ = std::move(fresh);
        operator_rights_ = std::move(rights);
    }

   private:
    std::string instance_;
    bool dev_;
    event_hub* events_ = nullptr;
    mutable std::mutex mutex_;
    // Shared with the calls that read them while a reload replaces them.
    std::shared_ptr<const settings_map> settings_ = std::make_shared<const settings_map>();
    std::shared_ptr<const std::set<std::string, std::less<>>> operator_rights_ =
        std::make_shared<const std::set<std::string, std::less<>>>();
};

}  // namespace workerd::api
