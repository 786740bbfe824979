#include "processors/support/locked_memory.hpp"

#include <openssl/crypto.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace libqueue::processors {

locked_memory::locked_memory(std::size_t size) : size_{size} {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page;
    void* pages =
        ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        throw std::runtime_error{"locked memory: no pages: " +
                                 std::generic_category().message(errno)};
    }
    // All three before the first byte of a secret is in it.
    if (::madvise(pages, mapped_, MADV_DONTDUMP) != 0 ||
        ::madvise(pages, mapped_, MADV_WIPEONFORK) != 0 || ::mlock(pages, mapped_) != 0) {
        const auto why = std::generic_category().message(errno);
        ::munmap(pages, mapped_);
        throw std::runtime_error{"locked memory: the pages of a key cannot be locked: " + why +
                                 " (raise RLIMIT_MEMLOCK: LimitMEMLOCK= of the unit)"};
    }
    bytes_ = static_cast<unsigned char*>(pages);
}

locked_memory::~locked_memory() {
    OPENSSL_cleanse(bytes_, mapped_);
    ::munmap(bytes_, mapped_);
}

}  // namespace libqueue::processors
