#pragma once

#include <cstddef>
#include <string_view>

namespace libqueue::processors {

/// Bytes of a key that must leave the process neither by swap, nor in a core dump, nor with a fork:
/// pages of their own, mlock'd, MADV_DONTDUMP and MADV_WIPEONFORK, wiped when it goes. For the few
/// secrets that are worth a page; `secret` is for the others. Neither copied nor moved: who shares
/// one does so by pointer. Reading is thread-safe.
class locked_memory {
   public:
    /// `size` > 0 zero bytes. Throws std::runtime_error, with what to do about it, when the system
    /// does not lock the pages (RLIMIT_MEMLOCK).
    explicit locked_memory(std::size_t size);
    locked_memory(const locked_memory&) = delete;
    locked_memory& operator=(const locked_memory&) = delete;
    ~locked_memory();

    [[nodiscard]] unsigned char* data() noexcept { return bytes_; }
    [[nodiscard]] const unsigned char* data() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view reveal() const noexcept {
        return {reinterpret_cast<const char*>(bytes_), size_};
    }

   private:
    std::size_t size_;
    std::size_t mapped_;
    unsigned char* bytes_;
};

}  // namespace libqueue::processors
