#include "processors/support/transfer_loop.hpp"

#include "processors/support/http_exchange.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <unordered_map>

namespace libqueue::processors {

namespace asio = boost::asio;

// How it works. libcurl says which sockets to watch (on_socket) and when to be woken (on_timer);
// we say what happened (curl_multi_socket_action) and collect what finished (harvest). Sockets are
// watched through a duplicate of the descriptor: Asio may then close its own and libcurl closes
// its own, whichever is first, and no number is deregistered after somebody else got it.
class transfer_loop : public std::enable_shared_from_this<transfer_loop> {
   public:
    explicit transfer_loop(const asio::any_io_executor& executor)
        : executor_{executor}, timer_{executor}, multi_{curl_multi_init()} {
        if (multi_ == nullptr) {
            throw std::bad_alloc{};
        }
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &transfer_loop::on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &transfer_loop::on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most_idle_connections);
        curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, most_connections_to_one);
    }
    transfer_loop(const transfer_loop&) = delete;
    transfer_loop& operator=(const transfer_loop&) = delete;
    ~transfer_loop() { close(); }

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

    void add(http_exchange& exchange) {
        if (multi_ == nullptr || curl_multi_add_handle(multi_, exchange.easy()) != CURLM_OK) {
            exchange.finish(CURLE_FAILED_INIT);
            return;
        }
        exchanges_.insert(&exchange);
    }

    /// Harmless when the exchange has finished or the loop is closed.
    void remove(http_exchange& exchange) noexcept {
        if (exchanges_.erase(&exchange) > 0) {
            curl_multi_remove_handle(multi_, exchange.easy());
        }
    }

    /// Ends everything. Called when the event loop is destroyed, while coroutines may still exist.
    void close() noexcept {
        if (multi_ == nullptr) {
            return;
        }
        for (auto* exchange : exchanges_) {
            curl_multi_remove_handle(multi_, exchange->easy());
        }
        exchanges_.clear();
        curl_multi_cleanup(std::exchange(multi_, nullptr));
        watches_.clear();
        timer_.reset();
    }

   private:
    class watch {
       public:
        watch(const asio::any_io_executor& executor, int descriptor_)
            : descriptor{executor, descriptor_} {}
        asio::posix::stream_descriptor descriptor;
        int wanted{CURL_POLL_NONE};
        bool waiting_to_read{false};
        bool waiting_to_write{false};
    };

    static constexpr long most_idle_connections = 256;
    // Further transfers to that host and port wait for one of them, within their deadline. There is
    // no limit on all together: hosts that do not answer would use it up and hold up the others.
    static constexpr long most_connections_to_one = 128;

    static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
        static_cast<transfer_loop*>(self)->watch_socket(socket, what);
        return 0;
    }

    static int on_timer(CURLM*, long timeout_ms, void* self) {
        static_cast<transfer_loop*>(self)->set_timer(timeout_ms);
        return 0;
    }

    void watch_socket(curl_socket_t socket, int what) {
        if (what == CURL_POLL_REMOVE) {
            // Waits under way come back with `operation_aborted` and find that nobody wants them.
            const auto found = watches_.find(socket);
            if (found != watches_.end()) {
                found->second->wanted = CURL_POLL_NONE;
                ::close(found->second->descriptor.release());
                watches_.erase(found);
            }
            return;
        }
        auto& place = watches_[socket];
        if (!place) {
            const int duplicate = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
            if (duplicate < 0) {
                watches_.erase(socket);  // out of descriptors: the transfer's deadline ends it
                return;
            }
            place = std::make_shared<watch>(executor_, duplicate);
        }
        place->wanted = what;
        arm(socket, place);
    }

    // A wait that is no longer wanted is left to fire once; libcurl copes with a needless call.
    void arm(curl_socket_t socket, const std::shared_ptr<watch>& which) {
        if ((which->wanted & CURL_POLL_IN) != 0 && !which->waiting_to_read) {
            which->waiting_to_read = true;
            which->descriptor.async_wait(
                asio::posix::descriptor_base::wait_read,
                [weak = weak_from_this(), socket, which](const boost::system::error_code& failed) {
                    which->waiting_to_read = false;
                    if (const auto self = weak.lock()) {
                        self->on_ready(socket, which, CURL_CSELECT_IN, failed);
                    }
                });
        }
        if ((which->wanted & CURL_POLL_OUT) != 0 && !which->waiting_to_write) {
            which->waiting_to_write = true;
            which->descriptor.async_wait(
                asio::posix::descriptor_base::wait_write,
                [weak = weak_from_this(), socket, which](const boost::system::error_code& failed) {
                    which->waiting_to_write = false;
                    if (const auto self = weak.lock()) {
                        self->on_ready(socket, which, CURL_CSELECT_OUT, failed);
                    }
                });
        }
    }

    void on_ready(curl_socket_t socket, const std::shared_ptr<watch>& which, int event,
                  const boost::system::error_code& failed) {
        if (multi_ == nullptr || which->wanted == CURL_POLL_NONE) {
            return;
        }
        act(socket, failed ? CURL_CSELECT_ERR : event);
        if (multi_ != nullptr && which->wanted != CURL_POLL_NONE) {
            arm(socket, which);
        }
    }

    void set_timer(long timeout_ms) {
        if (!timer_) {
            return;
        }
        if (timeout_ms < 0) {
            timer_->cancel();
            return;
        }
        // Never act from here: libcurl forbids calling back into it from its own callback.
        timer_->expires_after(std::chrono::milliseconds{timeout_ms});
        timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& failed) {
            const auto self = weak.lock();
            if (!failed && self && self->multi_ != nullptr) {
                self->act(CURL_SOCKET_TIMEOUT, 0);
            }
        });
    }

    void act(curl_socket_t socket, int events) {
        int running = 0;
        curl_multi_socket_action(multi_, socket, events, &running);
        harvest();
    }

    void harvest() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) {
                continue;
            }
            const auto code = message->data.result;
            http_exchange* exchange = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
            remove(*exchange);
            exchange->finish(code);
        }
    }

    asio::any_io_executor executor_;
    std::optional<asio::steady_timer> timer_;
    CURLM* multi_;
    std::unordered_map<curl_socket_t, std::shared_ptr<watch>> watches_;
    std::set<http_exchange*> exchanges_;
};

namespace {

/// Keeps the engines of one execution context; closes them before the context goes.
class transfer_service : public asio::execution_context::service {
   public:
    static asio::execution_context::id id;

    explicit transfer_service(asio::execution_context& context)
        : asio::execution_context::service{context} {}

    std::shared_ptr<transfer_loop>& loop(address_policy policy) {
        return policy == address_policy::any ? unrestricted_ : public_only_;
    }

   private:
    void shutdown() noexcept override {
        for (auto* loop : {&public_only_, &unrestricted_}) {
            if (*loop) {
                (*loop)->close();
                loop->reset();
            }
        }
    }

    std::shared_ptr<transfer_loop> public_only_;
    std::shared_ptr<transfer_loop> unrestricted_;
};

asio::execution_context::id transfer_service::id;

/// Removes the exchange on every way out of the coroutine, its destruction included.
class under_way {
   public:
    under_way(std::shared_ptr<transfer_loop> loop, std::shared_ptr<http_exchange> exchange)
        : loop_{std::move(loop)}, exchange_{std::move(exchange)} {
        loop_->add(*exchange_);
    }
    under_way(const under_way&) = delete;
    under_way& operator=(const under_way&) = delete;
    ~under_way() {
        loop_->remove(*exchange_);
        // The request goes with the coroutine, so libcurl's handle must not outlive it.
        exchange_->release();
    }

   private:
    std::shared_ptr<transfer_loop> loop_;
    std::shared_ptr<http_exchange> exchange_;
};

/// Runs on the thread that asks to stop, so it only leaves a message for the loop.
class stop_messenger {
   public:
    stop_messenger(asio::any_io_executor executor, std::shared_ptr<http_exchange> exchange)
        : executor_{std::move(executor)}, exchange_{std::move(exchange)} {}
    void operator()() const {
        asio::post(executor_, [exchange = exchange_] { exchange->stop(); });
    }

   private:
    asio::any_io_executor executor_;
    // Shared with the coroutine: the message may arrive after that has ended.
    std::shared_ptr<http_exchange> exchange_;
};

}  // namespace

std::shared_ptr<transfer_loop> transfer_loop_of(const asio::any_io_executor& executor,
                                                address_policy policy) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    auto& context = asio::query(executor, asio::execution::context);
    auto& loop = asio::use_service<transfer_service>(context).loop(policy);
    if (!loop) {
        loop = std::make_shared<transfer_loop>(executor);
    }
    return loop;
}

asio::awaitable<http_response> perform(std::shared_ptr<transfer_loop> loop,
                                       const http_request& request, std::stop_token stop,
                                       std::chrono::steady_clock::time_point deadline) {
    const auto exchange = std::make_shared<http_exchange>(loop->executor(), request);
    exchange->waker.expires_at(deadline);
    const under_way guard{loop, exchange};
    const stop_messenger messenger{loop->executor(), exchange};
    const std::stop_callback on_stop{stop, messenger};
    if (!exchange->finished()) {
        boost::system::error_code woken;
        auto token = asio::redirect_error(asio::use_awaitable, woken);
        co_await exchange->waker.async_wait(token);
    }
    co_return exchange->take_response();
}

}  // namespace libqueue::processors
