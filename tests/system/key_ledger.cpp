#include "key_ledger.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace test {

key_ledger::key_ledger(const std::filesystem::path& file) {
    // A file of zeroes is a ledger of nothing.
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ::ftruncate(fd, sizeof(memory)) != 0) {
        throw std::system_error{errno, std::generic_category(), file.string()};
    }
    void* const at = ::mmap(nullptr, sizeof(memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (at == MAP_FAILED) {
        throw std::system_error{errno, std::generic_category(), "mmap"};
    }
    shared_ = static_cast<memory*>(at);
}

key_ledger::~key_ledger() {
    ::munmap(shared_, sizeof(memory));
}

void key_ledger::enter(int process, int key, int most) {
    const auto at = static_cast<std::size_t>(key);
    ++shared_->runs;
    ++shared_->running[static_cast<std::size_t>(process)][at];
    int now = 0;
    for (const auto& each : shared_->running) {
        now += each[at];
    }
    if (now > most) {
        ++shared_->too_many;
    }
    int highest = shared_->highest;
    while (now > highest && !shared_->highest.compare_exchange_weak(highest, now)) {
    }
}

void key_ledger::leave(int process, int key) {
    --shared_->running[static_cast<std::size_t>(process)][static_cast<std::size_t>(key)];
}

void key_ledger::in_order(int key, std::int64_t step) {
    const std::int64_t last = shared_->last_step[static_cast<std::size_t>(key)].exchange(step);
    if (step != last && step != last + 1) {
        ++shared_->out_of_order;
    }
}

void key_ledger::forget(int process) {
    for (auto& each : shared_->running[static_cast<std::size_t>(process)]) {
        each = 0;
    }
}

}  // namespace test
