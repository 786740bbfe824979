#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace workerd {

/// What systemd is told over NOTIFY_SOCKET. Without that variable, and in a process that is not the
/// one systemd watches, every member does nothing. Any thread.
class service_manager {
   public:
    /// With `is_silent` the variables are taken out of the environment: in dev mode they would lead
    /// the private PostgreSQL, which knows them too, to speak for us. Before any thread.
    explicit service_manager(bool is_silent);

    [[nodiscard]] bool is_present() const noexcept { return present_; }
    /// Silence after which systemd takes the process for hung and kills it; nothing: never.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const noexcept {
        return watchdog_;
    }

    void ready() const;
    void reloading() const;
    /// `longest`: how long leaving may take; systemd waits for that beyond its own TimeoutStopSec.
    void stopping(std::chrono::milliseconds longest) const;
    /// The loops have ended and feed the watchdog no more; what is left takes so long at most.
    void leaving(std::chrono::milliseconds longest) const;
    void alive() const;
    void status(const std::string& text) const;

   private:
    void tell(const std::string& text) const;

    bool present_;
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace workerd
