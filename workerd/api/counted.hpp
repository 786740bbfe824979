#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace workerd::api {

/// One more while it lives.
class counted {
   public:
    explicit counted(std::shared_ptr<std::atomic<int>> count) : count_{std::move(count)} {
        ++*count_;
    }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --*count_; }

   private:
    std::shared_ptr<std::atomic<int>> count_;  // shared with whoever counts, who may be gone first
};

}  // namespace workerd::api
