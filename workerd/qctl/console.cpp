#include "console.hpp"

#include "printable.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace qctl {

namespace {

[[noreturn]] void output_failed() {
    throw stop{exit_code::failed, "output",
               std::string{"cannot write the output: "} + std::strerror(errno)};
}

}  // namespace

void write_output(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
        output_failed();
    }
}

void flush_output() {
    if (std::fflush(stdout) != 0) {
        output_failed();
    }
}

void write_message(std::string_view text) {
    std::fflush(stdout);
    // Nobody is left to be told when stderr is gone.
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

void console::note(std::string_view text) const {
    if (options_.err_is_terminal && !options_.quiet) {
        write_message(printable(text) + '\n');
    }
}

void console::warn(std::string_view text) const {
    if (!options_.quiet) {
        write_message("qctl: " + printable(text) + '\n');
    }
}

void console::detail(std::string_view text) const {
    if (options_.verbose && !options_.quiet) {
        write_message("qctl: " + printable(text) + '\n');
    }
}

void console::debug(std::string_view text) const {
    if (options_.debug) {
        write_message("debug: " + printable(text) + '\n');
    }
}

std::string error_text(const stop& why, bool json, bool color) {
    const std::string message{why.what()};
    if (json) {
        return "{\"error\":{\"code\":" + json_quoted(why.code) +
               ",\"message\":" + json_quoted(message) + ",\"hint\":" + json_quoted(why.hint) +
               (why.request_id.empty() ? "" : ",\"request_id\":" + json_quoted(why.request_id)) +
               "}}\n";
    }
    const std::string mark = color ? "\x1b[31merror:\x1b[0m " : "error: ";
    std::string text = "qctl: " + mark + printable(message) + '\n';
    if (!why.hint.empty()) {
        text += "  hint: " + printable(why.hint) + '\n';
    }
    if (!why.request_id.empty()) {
        text += "  request: " + printable(why.request_id) + '\n';
    }
    return text;
}

}  // namespace qctl
