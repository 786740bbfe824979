#include "service_manager.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>

namespace workerd {

namespace {

std::optional<std::chrono::microseconds> read_watchdog() {
    std::uint64_t usec = 0;
    if (::sd_watchdog_enabled(0, &usec) <= 0)
        return std::nullopt;
    return std::chrono::microseconds{static_cast<std::int64_t>(usec)};
}

}  // namespace

service_manager::service_manager(bool is_silent) {
    if (is_silent)
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
            ::unsetenv(name);
    const char* socket = std::getenv("NOTIFY_SOCKET");
    present_ = socket != nullptr && *socket != '\0';
    watchdog_ = present_ ? read_watchdog() : std::nullopt;
}

// A message that cannot be sent is nothing to act upon: the watchdog is what notices.
void service_manager::tell(const std::string& text) const {
    if (present_)
        static_cast<void>(::sd_notify(0, text.c_str()));
}

void service_manager::ready() const {
    tell("READY=1");
}

void service_manager::reloading() const {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));
}

void service_manager::stopping(std::chrono::milliseconds longest) const {
    tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}",
                     std::chrono::microseconds{longest}.count()));
}

void service_manager::leaving(std::chrono::milliseconds longest) const {
    const auto time = std::chrono::microseconds{longest}.count();
    tell(fmt::format("EXTEND_TIMEOUT_USEC={}", time));
    if (watchdog_)
        tell(fmt::format("WATCHDOG_USEC={}", time));
}

void service_manager::alive() const {
    tell("WATCHDOG=1");
}

void service_manager::status(const std::string& text) const {
    tell("STATUS=" + text);
}

}  // namespace workerd
