#pragma once

#include "support/temp_dir.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace test {

/// The socket systemd listens on: what NOTIFY_SOCKET names.
class notify_socket {
   public:
    notify_socket() : path_{dir_.path() / "notify"} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.native().copy(std::begin(address.sun_path), sizeof address.sun_path - 1);
        const void* const raw = &address;
        if (descriptor_ < 0 ||
            ::bind(descriptor_, static_cast<const sockaddr*>(raw), sizeof address) != 0) {
            throw std::system_error{errno, std::generic_category(), "bind " + path_.string()};
        }
    }
    ~notify_socket() { ::close(descriptor_); }
    notify_socket(const notify_socket&) = delete;
    notify_socket& operator=(const notify_socket&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_.native(); }

    /// The next message, or nothing when none comes in that time.
    [[nodiscard]] std::optional<std::string> next(std::chrono::milliseconds time) {
        pollfd watched{descriptor_, POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(time.count())) <= 0) {
            return std::nullopt;
        }
        std::array<char, 4096> buffer{};
        const auto size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (size < 0) {
            return std::nullopt;
        }
        seen_.emplace_back(buffer.data(), static_cast<std::size_t>(size));
        return seen_.back();
    }

    /// The first message that contains `text`, of those not looked at yet.
    [[nodiscard]] std::optional<std::string> wait_for(
        const std::string& text, std::chrono::milliseconds deadline = std::chrono::seconds{20}) {
        const auto end = std::chrono::steady_clock::now() + deadline;
        while (std::chrono::steady_clock::now() < end) {
            const auto message = next(left(end));
            if (message && message->find(text) != std::string::npos) {
                return message;
            }
        }
        return std::nullopt;
    }

    /// As systemd's watchdog: true when some `interval` within `time` passes without WATCHDOG=1.
    [[nodiscard]] bool trips(std::chrono::milliseconds interval, std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        auto fed = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() < end) {
            const auto message = next(std::min(left(fed + interval), left(end)));
            if (message == "WATCHDOG=1") {
                fed = std::chrono::steady_clock::now();
            } else if (std::chrono::steady_clock::now() >= fed + interval) {
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] const std::vector<std::string>& seen() const noexcept { return seen_; }

   private:
    static std::chrono::milliseconds left(std::chrono::steady_clock::time_point end) {
        const auto time =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        return std::max(time, std::chrono::milliseconds{0});
    }

    temp_dir dir_;
    std::filesystem::path path_;
    int descriptor_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    std::vector<std::string> seen_;
};

}  // namespace test
