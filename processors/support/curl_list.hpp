#pragma once

#include <curl/curl.h>

#include <new>
#include <string>

namespace libqueue::processors {

/// libcurl's list of strings. Must stay for as long as the handle it was given to uses it.
class curl_list {
   public:
    curl_list() = default;
    curl_list(const curl_list&) = delete;
    curl_list& operator=(const curl_list&) = delete;
    ~curl_list() { curl_slist_free_all(head_); }

    void append(const std::string& text) {
        // A failing append returns null and leaves the list alone.
        auto* longer = curl_slist_append(head_, text.c_str());
        if (longer == nullptr) {
            throw std::bad_alloc{};
        }
        head_ = longer;
    }
    [[nodiscard]] curl_slist* get() const noexcept { return head_; }

   private:
    curl_slist* head_{nullptr};
};

}  // namespace libqueue::processors
