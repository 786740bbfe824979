#pragma once

#include <exception>
#include <string>

namespace libqueue::engine {

/// The text of what a handler threw, for people.
[[nodiscard]] inline std::string what_of(const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "something that is not a std::exception";
    }
}

}  // namespace libqueue::engine
