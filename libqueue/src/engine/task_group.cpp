#include "engine/task_group.hpp"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace libqueue::engine {

void task_group::spawn(const char* name, boost::asio::awaitable<void> task) {
    ++alive_;
    boost::asio::co_spawn(io_, std::move(task), [this, name](std::exception_ptr why) {
        --alive_;
        if (why != nullptr) {
            on_failure_(name, why);
        }
    });
}

}  // namespace libqueue::engine
