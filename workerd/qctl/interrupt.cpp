#include "interrupt.hpp"

#include "exit_code.hpp"

#include <signal.h>
#include <unistd.h>

#include <csignal>

namespace qctl {

namespace {

volatile std::sig_atomic_t guards = 0;
volatile std::sig_atomic_t asked = 0;

void on_interrupt(int) noexcept {
    if (guards > 0 && asked == 0) {
        asked = 1;
        return;
    }
    ::_exit(static_cast<int>(exit_code::interrupted));
}

}  // namespace

void install_interrupt_handler() noexcept {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    ::sigemptyset(&action.sa_mask);
    // Without SA_RESTART a read from a terminal or a pipe would end at the signal and lose a line.
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, nullptr);
}

interrupt_guard::interrupt_guard() noexcept {
    guards = guards + 1;
}

interrupt_guard::~interrupt_guard() {
    guards = guards - 1;
}

bool interrupted() noexcept {
    return asked != 0;
}

}  // namespace qctl
