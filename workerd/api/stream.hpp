#pragma once

#include "auth/authenticator.hpp"
#include "call_pool.hpp"
#include "net/http_types.hpp"
#include "net/tasks.hpp"
#include "surroundings.hpp"

#include <libqueue/principal.hpp>

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace workerd::api {

class event_hub;
class event_scope;

/// Who looks at /stream, and how often: streams last, so they need a limit that rates do not give.
/// Thread-safe.
class stream_seats : public std::enable_shared_from_this<stream_seats> {
   public:
    explicit stream_seats(int most) : most_{most} {}

    /// Held by one stream; given back by the destructor.
    class seat {
       public:
        seat(std::shared_ptr<stream_seats> of, std::string caller)
            : of_{std::move(of)}, caller_{std::move(caller)} {}
        seat(const seat&) = delete;
        seat& operator=(const seat&) = delete;
        ~seat() { of_->give_back(caller_); }

       private:
        std::shared_ptr<stream_seats> of_;  // shared with the other seats and the hub
        std::string caller_;
    };

    /// Refuses (429) a caller who has twenty, and everybody (503) when all are taken.
    [[nodiscard]] std::unique_ptr<seat> take(const std::string& caller);

   private:
    void give_back(const std::string& caller) noexcept;

    int most_;
    std::mutex mutex_;
    int taken_ = 0;
    std::map<std::string, int> of_caller_;
};

/// One viewer's end of /stream. Made on a thread of the pool; everything else happens on the loop.
class event_feed final : public http_pieces {
   public:
    event_feed(event_hub& hub, std::unique_ptr<stream_seats::seat> seat, std::string tenant,
               std::string token, std::string last_id);
    ~event_feed() override;

    [[nodiscard]] boost::asio::awaitable<std::string> next() override;
    void leave() override { close(); }

   private:
    friend class event_scope;
    friend class event_hub;

    void push(std::shared_ptr<const std::string> text);
    void close();

    event_hub& hub_;
    std::unique_ptr<stream_seats::seat> seat_;
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
    /// `most`: viewers at a time.
    event_hub(tasks& tasks, call_pool& pool, const surroundings& around, authenticator& who,
              int most);
    event_hub(const event_hub&) = delete;
    event_hub& operator=(const event_hub&) = delete;
    ~event_hub();

    /// From a thread of the pool. `last_id`: Last-Event-ID, or empty. `token` is looked at again
    /// every few seconds. Refuses a caller who has too many, see stream_seats.
    [[nodiscard]] std::shared_ptr<event_feed> open(const libqueue::principal& who,
                                                   std::string token, std::string last_id);
    /// All feeds end, and those that come.
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
    std::shared_ptr<stream_seats> seats_;  // shared with the feeds
    std::string stamp_;  ///< of this process's run: ids of another run mean nothing here
    std::map<std::string, std::shared_ptr<event_scope>> scopes_;  // shared with their feeds
    bool stopped_ = false;
};

}  // namespace workerd::api
