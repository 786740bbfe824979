#include "call_pool.hpp"

#include "counted.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace workerd::api {

namespace {

// A call on its way to a thread and back. Its handler resumes the coroutine that waits on the loop;
// the guard keeps that loop alive meanwhile.
template <typename Handler>
class journey {
   public:
    journey(Handler handler, std::function<void()> what)
        : guard_{boost::asio::get_associated_executor(handler)},
          handler_{std::move(handler)},
          what_{std::move(what)} {}

    void operator()() {
        std::exception_ptr thrown;
        try {
            what_();
        } catch (const std::exception&) {
            thrown = std::current_exception();
        }
        const auto loop = guard_.get_executor();
        boost::asio::post(loop, [handler = std::move(handler_), thrown]() mutable {
            std::move(handler)(thrown);
        });
        guard_.reset();
    }

   private:
    using executor = typename boost::asio::associated_executor<Handler>::type;
    boost::asio::executor_work_guard<executor> guard_;
    Handler handler_;
    std::function<void()> what_;
};

// Not a coroutine: gcc 12 would destroy the lambda beside co_await twice.
boost::asio::awaitable<void> on_thread(boost::asio::thread_pool& threads,
                                       std::function<void()> what) {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(std::exception_ptr)>(
        [&threads](auto handler, std::function<void()> carried) {
            boost::asio::post(threads,
                              journey<decltype(handler)>{std::move(handler), std::move(carried)});
        },
        boost::asio::use_awaitable, std::move(what));
}

}  // namespace

call_pool::call_pool(libqueue::client_options options, int threads, int waiting_max)
    : options_{std::move(options)},
      most_{threads + waiting_max},
      threads_{static_cast<std::size_t>(threads)} {}

call_pool::~call_pool() {
    threads_.join();
}

void call_pool::stop() {
    threads_.stop();
}

boost::asio::awaitable<bool> call_pool::run(work what) {
    const counted here{inside_};
    if (*inside_ > most_)
        co_return false;
    std::function<void()> carried = [this, &what] {
        lend(what);
    };
    co_await on_thread(threads_, std::move(carried));
    co_return true;
}

std::unique_ptr<libqueue::client> call_pool::take() {
    {
        const std::lock_guard lock{mutex_};
        if (!idle_.empty()) {
            auto found = std::move(idle_.back());
            idle_.pop_back();
            return found;
        }
    }
    return std::make_unique<libqueue::client>(options_);
}

void call_pool::put_back(std::unique_ptr<libqueue::client> used) {
    const std::lock_guard lock{mutex_};
    idle_.push_back(std::move(used));
}

void call_pool::lend(const work& what) {
    auto database = take();
    // A client whose call threw is not put back: its connection may be in any state.
    what(*database);
    put_back(std::move(database));
}

}  // namespace workerd::api
