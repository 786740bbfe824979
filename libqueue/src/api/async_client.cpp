#include <libqueue/async_client.hpp>
#include <libqueue/limits.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace libqueue {
namespace {

namespace asio = boost::asio;

/// A call waiting for its turn.
class call {
   public:
    call() = default;
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    virtual ~call() = default;
    virtual void run(client& on) = 0;
    virtual void abandon() = 0;
};

template <typename T>
class typed_call final : public call {
   public:
    using completion = asio::any_completion_handler<void(std::exception_ptr, result<T>)>;

    typed_call(std::function<result<T>(client&)> work, completion handler,
               const asio::any_io_executor& fallback)
        : work_{std::move(work)},
          handler_{std::move(handler)},
          fallback_{fallback},
          // Keeps the handler's io_context running while the database thread has the call.
          guard_{asio::get_associated_executor(handler_, fallback)} {}

    /// On the client's thread, which runs no executor: dispatching is never inline here.
    void run(client& on) override {
        std::exception_ptr fault;
        result<T> answer{error{}};
        try {
            answer = work_(on);
        } catch (const std::exception&) {
            fault = std::current_exception();
        }
        asio::dispatch(guard_.get_executor(),
                       [handler = std::move(handler_), fault = std::move(fault),
                        answer = std::move(answer)]() mutable {
                           std::move(handler)(std::move(fault), std::move(answer));
                       });
        guard_.reset();
    }

    /// On the thread that destroys the client, which may run the handler's executor: so by way of
    /// the client's own.
    void abandon() override {
        auto fault = std::make_exception_ptr(
            failure{"the client was destroyed before this call was sent", {}, true, false});
        asio::post(fallback_, [handler = std::move(handler_), guard = std::move(guard_),
                               fault = std::move(fault)]() mutable {
            asio::dispatch(guard.get_executor(),
                           [handler = std::move(handler), fault = std::move(fault)]() mutable {
                               std::move(handler)(std::move(fault), result<T>{error{}});
                           });
        });
    }

   private:
    std::function<result<T>(client&)> work_;
    completion handler_;
    asio::any_io_executor fallback_;
    asio::executor_work_guard<asio::associated_executor_t<completion, asio::any_io_executor>>
        guard_;
};

}  // namespace

class async_client::impl {
   public:
    impl(asio::any_io_executor executor, client_options options)
        : executor_{std::move(executor)}, client_{std::move(options)}, thread_{[this] {
              serve();
          }} {}
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    ~impl() {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
        for (const auto& left : calls_) {
            left->abandon();
        }
    }

    template <typename T>
    void start(std::function<result<T>(client&)> work, typename typed_call<T>::completion handler) {
        auto made = std::make_unique<typed_call<T>>(std::move(work), std::move(handler), executor_);
        {
            const std::lock_guard lock{mutex_};
            calls_.push_back(std::move(made));
        }
        changed_.notify_one();
    }

   private:
    void serve() {
        while (true) {
            std::unique_ptr<call> next;
            {
                std::unique_lock lock{mutex_};
                changed_.wait(lock, [this] { return stopping_ || !calls_.empty(); });
                if (stopping_) {
                    return;
                }
                next = std::move(calls_.front());
                calls_.pop_front();
            }
            next->run(client_);
        }
    }

    asio::any_io_executor executor_;
    client client_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<call>> calls_;
    bool stopping_{false};
    std::thread thread_;
};

async_client::async_client(boost::asio::any_io_executor executor, client_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(options))} {}

async_client::~async_client() = default;

void async_client::start_enqueue(new_job job, completion<enqueued> handler) {
    impl_->start<enqueued>([job = std::move(job)](client& on) { return on.enqueue(job); },
                           std::move(handler));
}

void async_client::start_enqueue_many(std::vector<new_job> jobs,
                                      completion<std::vector<job_id>> handler) {
    impl_->start<std::vector<job_id>>(
        [jobs = std::move(jobs)](client& on) { return on.enqueue_many(jobs); }, std::move(handler));
}

void async_client::start_get(job_id id, completion<job_info> handler) {
    impl_->start<job_info>([id](client& on) { return on.get(id); }, std::move(handler));
}

void async_client::start_reserve(std::string limit, int n, std::chrono::microseconds at_most,
                                 std::string key, completion<grant> handler) {
    impl_->start<grant>(
        [limit = std::move(limit), n, at_most, key = std::move(key)](client& on) {
            return limit_control{on}.reserve(limit, n, at_most, key);
        },
        std::move(handler));
}

}  // namespace libqueue
