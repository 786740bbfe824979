#include "fault_proxy.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace test {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;
using boost::system::error_code;

/// Cuts one direction of the protocol into messages: a type byte and a length, but for the client's
/// first message, which has no type.
class framer {
   public:
    explicit framer(bool startup_first) : startup_{startup_first} {}

    /// Calls `each(type, whole message)` for every message completed by these bytes.
    template <typename Each>
    void feed(std::string_view bytes, Each each) {
        pending_ += bytes;
        for (;;) {
            const std::size_t head = startup_ ? 0 : 1;
            if (pending_.size() < head + 4) {
                return;
            }
            std::size_t length = 0;
            for (std::size_t at = head; at < head + 4; ++at) {
                length = length << 8U | static_cast<unsigned char>(pending_[at]);
            }
            if (pending_.size() < head + length) {
                return;
            }
            const std::string message = pending_.substr(0, head + length);
            pending_.erase(0, head + length);
            const char type = startup_ ? '\0' : message.front();
            startup_ = false;
            each(type, message);
        }
    }

   private:
    bool startup_;
    std::string pending_;
};

/// The startup message is pairs of NUL-terminated name and value.
std::string application_of(const std::string& startup) {
    constexpr std::string_view wanted{"application_name", 17};  // with its NUL
    const auto found = startup.find(wanted);
    return found == std::string::npos ? "" : startup.substr(found + wanted.size()).c_str();
}

}  // namespace

class fault_proxy::impl {
   public:
    impl(const std::filesystem::path& socket_dir, unsigned short server_port)
        : upstream{(socket_dir / (".s.PGSQL." + std::to_string(server_port))).string()},
          acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}},
          thread{[this] {
              const auto guard = asio::make_work_guard(io);
              io.run();
          }} {
        asio::post(io, [this] { accept(); });
    }

    ~impl() {
        io.stop();
        thread.join();
    }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    class link;

    /// Runs `what` on the proxy's thread and returns its answer.
    template <typename What>
    auto ask(What what) {
        std::packaged_task<decltype(what())()> task{std::move(what)};
        auto answer = task.get_future();
        asio::post(io, [&task] { task(); });
        return answer.get();
    }

    std::size_t each_link(const std::string& who, const std::function<void(link&)>& what);
    void accept();

    asio::io_context io{1};
    local::endpoint upstream;
    tcp::acceptor acceptor;
    std::vector<std::weak_ptr<link>> links;
    std::chrono::milliseconds delay{0};
    bool blackhole_new{false};
    std::string lose_text;
    int lose_times{0};
    std::size_t lost{0};
    std::thread thread;
};

/// Kept alive by its own reads; a black hole by the proxy, so that nobody is told of its end.
class fault_proxy::impl::link : public std::enable_shared_from_this<link> {
   public:
    link(impl& owner, tcp::socket client)
        : owner_{owner}, client_{std::move(client)}, server_{owner.io} {}

    void start() {
        hole_ = owner_.blackhole_new;
        error_code refused;
        if (!hole_) {
            server_.connect(owner_.upstream, refused);
            if (refused) {
                reset();
                return;
            }
            pump_to_client();
        }
        pump_to_server();
    }

    void reset() {
        error_code ignored;
        client_.set_option(asio::socket_base::linger{true, 0}, ignored);
        client_.close(ignored);
        server_.close(ignored);
    }
    void become_hole() { hole_ = true; }
    void limit(direction way, std::size_t bytes) {
        (way == direction::to_server ? to_server_left_ : to_client_left_) = bytes;
    }
    [[nodiscard]] bool open() const { return client_.is_open() && !hole_; }
    [[nodiscard]] bool named(const std::string& who) const {
        return application_.find(who) != std::string::npos;
    }

   private:
    void pump_to_server() {
        client_.async_read_some(asio::buffer(from_client_),
                                [self = shared_from_this()](error_code ec, std::size_t size) {
                                    if (ec) {
                                        // The server of a half-open connection does not learn of
                                        // its end either.
                                        return self->hole_ ? void() : self->reset();
                                    }
                                    if (self->hole_) {
                                        return self->pump_to_server();
                                    }
                                    self->watch_requests({self->from_client_.data(), size});
                                    self->later([self, size] { self->pass_to_server(size); });
                                });
    }

    void pass_to_server(std::size_t size) {
        const std::size_t passing = std::min(size, to_server_left_.value_or(size));
        asio::async_write(server_, asio::buffer(from_client_.data(), passing),
                          [self = shared_from_this(), passing](error_code ec, std::size_t) {
                              if (ec || self->spent(self->to_server_left_, passing)) {
                                  return self->reset();
                              }
                              self->pump_to_server();
                          });
    }

    void pump_to_client() {
        server_.async_read_some(asio::buffer(from_server_), [self = shared_from_this()](
                                                                error_code ec, std::size_t size) {
            if (ec) {
                return self->hole_ ? void() : self->reset();
            }
            const bool ready = self->watch_answers({self->from_server_.data(), size});
            if (self->losing_ && ready) {
                ++self->owner_.lost;
                return self->reset();
            }
            if (self->losing_ || self->hole_) {
                return self->pump_to_client();
            }
            self->later([self, size] { self->pass_to_client(size); });
        });
    }

    void pass_to_client(std::size_t size) {
        const std::size_t passing = std::min(size, to_client_left_.value_or(size));
        asio::async_write(client_, asio::buffer(from_server_.data(), passing),
                          [self = shared_from_this(), passing](error_code ec, std::size_t) {
                              if (ec || self->spent(self->to_client_left_, passing)) {
                                  return self->reset();
                              }
                              self->pump_to_client();
                          });
    }

    [[nodiscard]] static bool spent(std::optional<std::size_t>& left, std::size_t passed) {
        if (left) {
            *left -= std::min(*left, passed);
        }
        return left == std::size_t{0};
    }

    void later(std::function<void()> what) {
        if (owner_.delay.count() == 0) {
            return what();
        }
        auto timer = std::make_shared<asio::steady_timer>(owner_.io, owner_.delay);
        timer->async_wait([timer, what = std::move(what)](error_code) { what(); });
    }

    void watch_requests(std::string_view bytes) {
        requests_.feed(bytes, [this](char type, const std::string& message) {
            if (type == '\0') {
                application_ = application_of(message);
                return;
            }
            request_ += message;
            if (type != 'S' && type != 'Q') {
                return;
            }
            if (owner_.lose_times > 0 && request_.find(owner_.lose_text) != std::string::npos) {
                --owner_.lose_times;
                losing_ = true;
            }
            request_.clear();
        });
    }

    /// Whether these bytes end an answer.
    [[nodiscard]] bool watch_answers(std::string_view bytes) {
        bool ready = false;
        answers_.feed(bytes, [&](char type, const std::string&) { ready = type == 'Z'; });
        return ready;
    }

    impl& owner_;
    tcp::socket client_;
    local::socket server_;
    std::array<char, 65536> from_client_{};
    std::array<char, 65536> from_server_{};
    framer requests_{true};
    framer answers_{false};
    std::string request_;
    std::string application_;
    std::optional<std::size_t> to_server_left_;
    std::optional<std::size_t> to_client_left_;
    bool hole_{false};
    bool losing_{false};
};

std::size_t fault_proxy::impl::each_link(const std::string& who,
                                         const std::function<void(link&)>& what) {
    std::erase_if(links, [](const auto& each) { return each.expired(); });
    std::size_t count = 0;
    for (const auto& each : links) {
        if (const auto alive = each.lock(); alive && alive->open() && alive->named(who)) {
            what(*alive);
            ++count;
        }
    }
    return count;
}

void fault_proxy::impl::accept() {
    acceptor.async_accept([this](error_code ec, tcp::socket client) {
        if (ec) {
            return;
        }
        client.set_option(tcp::no_delay{true}, ec);
        const auto made = std::make_shared<link>(*this, std::move(client));
        links.push_back(made);
        made->start();
        accept();
    });
}

fault_proxy::fault_proxy(const std::filesystem::path& socket_dir, unsigned short server_port)
    : impl_{std::make_unique<impl>(socket_dir, server_port)} {}

fault_proxy::~fault_proxy() = default;

unsigned short fault_proxy::port() const noexcept {
    return impl_->acceptor.local_endpoint().port();
}

std::string fault_proxy::dsn(const std::string& database) const {
    return "host=127.0.0.1 port=" + std::to_string(port()) +
           " sslmode=disable gssencmode=disable user=postgres dbname=" + database;
}

std::size_t fault_proxy::links(const std::string& who) const {
    return impl_->ask([&] { return impl_->each_link(who, [](impl::link&) {}); });
}

void fault_proxy::delay(std::chrono::milliseconds by) {
    impl_->ask([&] { impl_->delay = by; });
}

std::size_t fault_proxy::blackhole(const std::string& who) {
    return impl_->ask(
        [&] { return impl_->each_link(who, [](impl::link& each) { each.become_hole(); }); });
}

void fault_proxy::blackhole_new(bool on) {
    impl_->ask([&] { impl_->blackhole_new = on; });
}

std::size_t fault_proxy::cut(const std::string& who) {
    return impl_->ask(
        [&] { return impl_->each_link(who, [](impl::link& each) { each.reset(); }); });
}

std::size_t fault_proxy::cut_after(direction way, std::size_t bytes, const std::string& who) {
    return impl_->ask(
        [&] { return impl_->each_link(who, [&](impl::link& each) { each.limit(way, bytes); }); });
}

void fault_proxy::lose_answer(const std::string& text, int times) {
    impl_->ask([&] {
        impl_->lose_text = text;
        impl_->lose_times = times;
    });
}

std::size_t fault_proxy::answers_lost() const {
    return impl_->ask([&] { return impl_->lost; });
}

}  // namespace test
