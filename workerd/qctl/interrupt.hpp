#pragma once

namespace qctl {

/// Ctrl-C ends qctl at once with 130, except while an `interrupt_guard` lives: then the first one
/// only sets the flag, so that a batch can finish and be reported; the second ends it.
void install_interrupt_handler() noexcept;

class interrupt_guard {
   public:
    interrupt_guard() noexcept;
    ~interrupt_guard();
    interrupt_guard(const interrupt_guard&) = delete;
    interrupt_guard& operator=(const interrupt_guard&) = delete;
};

[[nodiscard]] bool interrupted() noexcept;

}  // namespace qctl
