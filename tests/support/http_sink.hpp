#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace test {

/// An HTTP/1.1 server on 127.0.0.1 that costs next to nothing, for measuring whoever talks to it:
/// one thread, keep-alive, 200 without body to every request, and no answer at all to a target that
/// begins with /dead. Requests must have a Content-Length. Thread-safe.
class http_sink {
   public:
    http_sink();
    ~http_sink();
    http_sink(const http_sink&) = delete;
    http_sink& operator=(const http_sink&) = delete;

    [[nodiscard]] std::string url(std::string_view path) const;
    [[nodiscard]] long answered() const noexcept;

   private:
    class server;
    std::unique_ptr<server> server_;
};

}  // namespace test
