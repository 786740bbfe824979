#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace qctl {

/// The terminal as one screen: the alternate one, without echo and cursor. It is put back as it was
/// by the destructor, and by every signal that ends or stops the process. One at a time.
class full_screen {
   public:
    /// Throws `stop` (failed) when stdin or stdout is no terminal.
    full_screen();
    ~full_screen();
    full_screen(const full_screen&) = delete;
    full_screen& operator=(const full_screen&) = delete;

    void draw(const std::vector<std::string>& lines);
    /// Of the terminal, now.
    [[nodiscard]] std::size_t width() const noexcept;
    [[nodiscard]] std::size_t height() const noexcept;

    /// Waits for keys, a change of size or a byte at `other` (-1: nothing), at most so long; adds
    /// what was typed. False when the terminal is gone.
    [[nodiscard]] bool wait(std::string& typed, int other, std::chrono::milliseconds at_most);

    /// Ctrl-Z: gives the terminal back, stops, and takes it again when continued.
    void suspend();
};

}  // namespace qctl
