#pragma once

#include "auth/authenticator.hpp"
#include "call_pool.hpp"
#include "net/http_types.hpp"
#include "net/tasks.hpp"
#include "surroundings.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace workerd::api {

class event_hub;
class event_scope;

/// One viewer's end of /stream. Made on a thread of the pool; everything else happens on the loop.
class event_feed final : public http_pieces {
   public:
    event_feed(event_hub& hub, std::string tenant, std::string token, std::string last_id);
    ~event_feed() override;

    [[nodiscard]] boost::asio::awaitable<std::string> next() override;

   private:
    friend class event_scope;
    friend class event_hub;

    void push(std::shared_ptr<const std::string> text);
    void close();

    event_hub& hub_;
    std::string tenant_;
    std::string token_;
    std::string last_id_;
    // Shared with the hub, which outlives nobody's feed by contract and everybody's by order.
    std::shared_ptr<event_scope> scope_;
    std::unique_ptr<boost::asio::steady_timer> timer_;
    std::deque<std::shared_ptr<const std::string>> waiting_;
    bool ended_ = false;
};

/// What happens, for all viewers of one tenant (or of all): one sampler asks the database every
/// two seconds while anybody looks, however many they are, and the latest events are kept for
/// viewers that come back. What is sampled are routes of the table: the events `overview`,
/// `operation` and `alert` are the rows of their GETs that have changed. Loop thread.
class event_hub {
   public:
    event_hub(tasks& tasks, call_pool& pool, const surroundings& around, authenticator& who);
    event_hub(const event_hub&) = delete;
    event_hub& operator=(const event_hub&) = delete;
    ~event_hub();

    /// From a thread of the pool. `last_id`: Last-Event-ID, or empty. `token` is looked at again
    /// every few seconds.
    [[nodiscard]] std::shared_ptr<event_feed> open(std::string tenant, std::string token,
                                                   std::string last_id);
    void stop();

   private:
    friend class event_feed;
    friend class event_scope;

    void join(event_feed& feed);
    static void leave(event_feed& feed) noexcept;
    boost::asio::awaitable<void> sample(std::shared_ptr<event_scope> scope);
    void ask(event_scope& scope, libqueue::client& database);

    tasks& tasks_;
    call_pool& pool_;
    const surroundings& around_;
    authenticator& who_;
    std::string stamp_;  ///< of this process's run: ids of another run mean nothing here
    std::map<std::string, std::shared_ptr<event_scope>> scopes_;  // shared with their feeds
    bool stopped_ = false;
};

}  // namespace workerd::api
