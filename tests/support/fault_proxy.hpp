#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace test {

/// A TCP proxy on 127.0.0.1 in front of a PostgreSQL (or PgBouncer) on a unix socket, on a thread
/// of its own, that does to connections what networks do. A connection is called a link here; `who`
/// means all links whose application_name contains it, so an empty one means every link. Faults hit
/// the links there are at that moment; later ones pass, unless said otherwise. Thread-safe.
class fault_proxy {
   public:
    enum class direction { to_server, to_client };

    /// `socket_dir`: folder of the server's unix socket. The proxy may outlive the server.
    explicit fault_proxy(const std::filesystem::path& socket_dir,
                         unsigned short server_port = 5432);
    ~fault_proxy();
    fault_proxy(const fault_proxy&) = delete;
    fault_proxy& operator=(const fault_proxy&) = delete;

    [[nodiscard]] std::string dsn(const std::string& database) const;
    [[nodiscard]] unsigned short port() const noexcept;

    /// Open links that are not black holes.
    [[nodiscard]] std::size_t links(const std::string& who = {}) const;
    /// Everything passes so much later, in both directions; zero ends it. For all links, also later
    /// ones.
    void delay(std::chrono::milliseconds by);
    /// Half-open: what is sent is taken and thrown away, no end is ever told to either side.
    /// Returns how many links.
    std::size_t blackhole(const std::string& who = {});
    /// The same for links that do not exist yet: they are accepted and never answered.
    void blackhole_new(bool on);
    /// Reset on both sides. Returns how many links.
    std::size_t cut(const std::string& who = {});
    /// Lets so many bytes more pass in that direction, then resets. Returns how many links.
    std::size_t cut_after(direction way, std::size_t bytes, const std::string& who = {});
    /// The next `times` requests (what lies between two Syncs, or a simple query) of any link that
    /// contain `text` reach the server, which carries them out to its ReadyForQuery; none of the
    /// answer reaches the client, whose connection is reset: a commit without its reply.
    void lose_answer(const std::string& text, int times = 1);
    /// Answers lost so far.
    [[nodiscard]] std::size_t answers_lost() const;

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace test
