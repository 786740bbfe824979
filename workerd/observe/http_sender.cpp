#include "observe/http_sender.hpp"

#include "processors/support/transfer_loop.hpp"

#include <memory>
#include <utility>

namespace workerd::observe {

namespace {

namespace processors = libqueue::processors;

class exchange {
   public:
    bool done = false;
    processors::http_response response;
};

boost::asio::awaitable<void> ask(boost::asio::io_context& loop,
                                 const processors::http_request& request, std::stop_token stop,
                                 std::chrono::steady_clock::time_point deadline,
                                 std::shared_ptr<exchange> into) {
    auto transfers = processors::transfer_loop_of(loop.get_executor(), request.addresses);
    auto response = co_await processors::perform(transfers, request, stop, deadline);
    into->response = std::move(response);
    into->done = true;
}

}  // namespace

processors::http_response http_sender::send(const processors::http_request& request,
                                            const std::stop_token& stop,
                                            std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    auto under_way = std::make_shared<exchange>();
    loop_.restart();
    tasks_.spawn("http_sender", ask(loop_, request, stop, deadline, under_way));
    // Not run(): kept connections may have work of their own. Without any it has failed.
    while (!under_way->done && loop_.run_one() > 0) {
    }
    return std::move(under_way->response);
}

}  // namespace workerd::observe
