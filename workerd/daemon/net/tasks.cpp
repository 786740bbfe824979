#include "net/tasks.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace workerd {

void tasks::spawn(std::string name, boost::asio::awaitable<void> body) {
    boost::asio::co_spawn(
        loop_, std::move(body), [this, name = std::move(name)](std::exception_ptr failure) {
            if (!failure)
                return;
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& error) {
                log_.error("task_failed", "a task of the daemon failed",
                           {{"task", name}, {"err.code", "exception"}, {"err.msg", error.what()}});
            }
        });
}

}  // namespace workerd
