#include "counterpart.hpp"
#include "solana_node.hpp"

#include <boost/json.hpp>

#include <string>

namespace test {

namespace {

std::string ticket_of(int key) {
    return "K" + std::to_string(key);
}

/// A Solana node and a gateway. The effect of a key is a mint account that carries its name: a
/// second one would have another address and the same name.
class mint_counterpart final : public counterpart {
   public:
    mint_counterpart() { node_.fund(node_.wallet(), 1'000'000'000'000); }

    [[nodiscard]] std::string processors_yaml() const override {
        return "  mint: {endpoints: [\"" + node_.url("/rpc") + "\"], key_file: \"" +
               node_.key_file().string() + "\", metadata_url: \"" + node_.url("/metadata/") +
               "\", allow_http: true, rpc_timeout: 1s, poll_interval: 50ms, confirm_wait: 5s}\n";
    }
    [[nodiscard]] std::string more_yaml() const override {
        return "limits: {solana: {concurrency: 1000}}\n";
    }
    [[nodiscard]] std::string kind() const override { return "ticket.mint"; }
    [[nodiscard]] std::string payload(int key) const override {
        return R"({"ticket": ")" + ticket_of(key) +
               R"(", "user": "u", "recipient": "4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA",)" +
               R"( "name": ")" + ticket_of(key) + R"("})";
    }
    [[nodiscard]] std::string bad_payload() const override {
        return R"({"ticket": 7, "recipient": "nobody"})";
    }
    void fail_with(provider_fault fault) override {
        node_.control(R"({"mode":")" + std::string{to_string(fault)} + R"("})");
    }
    [[nodiscard]] int effects(int key) const override {
        return static_cast<int>(node_.get("/minted/" + ticket_of(key)).as_int64());
    }
    [[nodiscard]] int effects() const override {
        return static_cast<int>(node_.get("/minted").as_int64());
    }
    [[nodiscard]] bool reconciles() const override { return true; }

   private:
    solana_node node_;
};

}  // namespace

std::unique_ptr<counterpart> make_mint_counterpart() {
    return std::make_unique<mint_counterpart>();
}

}  // namespace test
