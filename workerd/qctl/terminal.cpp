#include "terminal.hpp"

#include "console.hpp"
#include "stop.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace qctl {

namespace {

constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view leave_text = "\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[0m";

// Signals have no other way to the terminal they must put back.
termios before{};
volatile std::sig_atomic_t taken = 0;

constexpr std::array ending{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGPIPE};
std::array<struct sigaction, ending.size()> kept_actions{};
struct sigaction kept_stop {};
struct sigaction kept_size {};

void put(std::string_view text) noexcept {
    // Nobody is left to be told when the terminal is gone.
    while (!text.empty()) {
        const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

// Only what a signal handler may call.
void give_back() noexcept {
    if (taken != 0) {
        taken = 0;
        put(leave_text);
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    }
}

void take() noexcept {
    termios raw = before;
    raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON | BRKINT | INPCK | ISTRIP);
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    // Not flushed: what was typed while it started counts.
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    put(enter_text);
    taken = 1;
}

void on_end(int signal) noexcept {
    const int error = errno;
    give_back();
    // As if nobody had caught it: whoever waits for us sees which signal it was.
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    errno = error;
}

void on_stop(int) noexcept {
    const int error = errno;
    const bool had = taken != 0;
    give_back();
    ::raise(SIGSTOP);
    if (had) {
        take();
    }
    errno = error;
}

// Only wakes poll().
void on_size(int) noexcept {}

struct sigaction handler(void (*run)(int)) noexcept {
    struct sigaction action {};
    action.sa_handler = run;
    ::sigemptyset(&action.sa_mask);
    return action;
}

winsize size_now() noexcept {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size.ws_col = 80;
        size.ws_row = 24;
    }
    return size;
}

}  // namespace

full_screen::full_screen() {
    if (::tcgetattr(STDIN_FILENO, &before) != 0 || ::isatty(STDOUT_FILENO) != 1) {
        throw stop{exit_code::failed, "failed", "top: expected a terminal, got none",
                   "qctl top --once prints one frame"};
    }
    flush_output();
    const auto end = handler(on_end);
    for (std::size_t i = 0; i < ending.size(); ++i) {
        ::sigaction(ending[i], &end, &kept_actions[i]);
    }
    const auto stop = handler(on_stop);
    const auto size = handler(on_size);
    ::sigaction(SIGTSTP, &stop, &kept_stop);
    ::sigaction(SIGWINCH, &size, &kept_size);
    take();
}

full_screen::~full_screen() {
    give_back();
    for (std::size_t i = 0; i < ending.size(); ++i) {
        ::sigaction(ending[i], &kept_actions[i], nullptr);
    }
    ::sigaction(SIGTSTP, &kept_stop, nullptr);
    ::sigaction(SIGWINCH, &kept_size, nullptr);
}

void full_screen::draw(const std::vector<std::string>& lines) {
    // Each line clears what was behind it, so that nothing flickers.
    std::string text = "\x1b[H";
    for (std::size_t i = 0; i < std::min(lines.size(), height()); ++i) {
        text += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
    }
    put(text + "\x1b[J");
}

std::size_t full_screen::width() const noexcept {
    return size_now().ws_col;
}

std::size_t full_screen::height() const noexcept {
    return size_now().ws_row;
}

bool full_screen::wait(std::string& typed, int other, std::chrono::milliseconds at_most) {
    std::array<pollfd, 2> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{other, POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), static_cast<int>(at_most.count())) <= 0) {
        return true;
    }
    if ((watched[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
        return false;
    }
    if ((watched[0].revents & POLLIN) != 0) {
        std::array<char, 256> bytes{};
        const auto count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
            return false;
        }
        typed.append(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return true;
}

void full_screen::suspend() {
    on_stop(SIGTSTP);
}

}  // namespace qctl
