#pragma once

#include "process.hpp"
#include "temp_dir.hpp"

#include <boost/json/value.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace test {

/// A Solana node with a real virtual machine, and a store for metadata, on a free port of
/// 127.0.0.1: tests/support/solana_node/server.js, whose head describes script, modes and state.
/// Needs node and what scripts/install-node-modules installs, which it runs; throws
/// std::runtime_error with what that said when they cannot be had. Thread-safe but for the end.
class solana_node {
   public:
    /// `slot_ms`: time between blocks; 0: only `advance` makes them.
    explicit solana_node(int slot_ms = 20);

    /// `path`: /rpc, /rpc2 or /metadata/.
    [[nodiscard]] std::string url(std::string_view path) const;

    /// The wallet that has the money (100 SOL), as base58 and as a file of solana-keygen's form.
    [[nodiscard]] const std::string& wallet() const noexcept { return wallet_; }
    [[nodiscard]] const std::filesystem::path& key_file() const noexcept { return key_file_; }
    /// Writes a file of that form for another wallet; `seed` is 32 bytes.
    [[nodiscard]] std::filesystem::path write_key(std::string_view name,
                                                  std::string_view seed) const;

    void control(const std::string& json) const;
    /// JSON of an entry of the script for requests to come.
    void fault(const std::string& entry) const { control(R"({"script":[)" + entry + "]}"); }
    void fund(const std::string& address, std::int64_t lamports) const;
    [[nodiscard]] boost::json::value get(std::string_view path) const;
    [[nodiscard]] boost::json::value state() const { return get("/state"); }
    /// What an independent decoder makes of the account and its tokens.
    [[nodiscard]] boost::json::value account(const std::string& address) const;
    [[nodiscard]] std::int64_t count(std::string_view method) const;

    /// A process that is stopped does not answer and loses nothing.
    [[nodiscard]] process& server() const noexcept { return *server_; }

   private:
    [[nodiscard]] std::string exchange(const std::string& target, const std::string* body) const;

    temp_dir dir_;
    std::unique_ptr<process> server_;
    int port_{0};
    std::string wallet_;
    std::filesystem::path key_file_;
};

}  // namespace test
