#pragma once

#include "processors/support/curl_list.hpp"
#include "processors/support/http_request.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include <array>
#include <memory>

namespace libqueue::processors {

/// One HTTP transfer under way: libcurl's handle, set up from a request, and what came back so far.
/// Belongs to `transfer_loop`; loop thread only. Refers to the request, which must outlive `easy`.
class http_exchange {
   public:
    http_exchange(const boost::asio::any_io_executor& executor, const http_request& request);
    http_exchange(const http_exchange&) = delete;
    http_exchange& operator=(const http_exchange&) = delete;
    ~http_exchange() = default;

    [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
    /// Closes libcurl's handle; the rest stays for whoever still refers to it.
    void release() noexcept { easy_.reset(); }
    /// libcurl is through with it.
    void finish(CURLcode code) noexcept;
    /// Somebody asked to stop.
    void stop() noexcept;
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    /// What to report, once woken.
    [[nodiscard]] http_response take_response();

    /// Wakes the waiting coroutine: its expiry is the deadline, cancelling it means news.
    boost::asio::steady_timer waker;

   private:
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
    void set_up();
    void set_up_message(CURL* easy);
    void note_whether_sent();
    void classify_failure();

    class easy_deleter {
       public:
        void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
    };

    const http_request& request_;
    curl_list headers_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    http_response response_;
    std::chrono::steady_clock::time_point started_{std::chrono::steady_clock::now()};
    CURLcode code_{CURLE_OK};
    int refused_addresses_{0};
    int tried_addresses_{0};
    bool cut_off_{false};
    bool finished_{false};
    bool stopped_{false};
    // Last, so that it goes first: it points into the members above.
    std::unique_ptr<CURL, easy_deleter> easy_;
};

}  // namespace libqueue::processors
