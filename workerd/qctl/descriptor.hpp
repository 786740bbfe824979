#pragma once

#include <unistd.h>

namespace qctl {

/// A file descriptor that closes itself; negative: none.
class descriptor {
   public:
    explicit descriptor(int number) noexcept : number_{number} {}
    ~descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return number_; }

   private:
    int number_;
};

}  // namespace qctl
