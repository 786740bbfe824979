#include "payload.hpp"

#include "stop.hpp"
#include "values.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace qctl {

namespace {

// The most any queue may be set to accept; a longer input is a mistake, not a payload.
constexpr std::size_t most_bytes = std::size_t{256} << 20;

class closer {
   public:
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string read_all(std::FILE* from, std::string_view where, std::string_view name) {
    std::string content;
    std::array<char, 65'536> buffer{};
    while (const auto count = std::fread(buffer.data(), 1, buffer.size(), from)) {
        content.append(buffer.data(), count);
        if (content.size() > most_bytes) {
            throw usage(std::string{where} + ": expected at most 256 MiB, got more from " +
                        in_quotes(name));
        }
    }
    if (std::ferror(from) != 0) {
        throw usage(std::string{where} + ": cannot read " + in_quotes(name) + ": " +
                    std::strerror(errno));
    }
    return content;
}

}  // namespace

std::string read_payload(std::string_view argument, std::string_view where) {
    if (argument == "-") {
        return read_all(stdin, where, "stdin");
    }
    if (!argument.starts_with('@')) {
        return std::string{argument};
    }
    const std::string path{argument.substr(1)};
    const std::unique_ptr<std::FILE, closer> file{std::fopen(path.c_str(), "rbe")};
    if (!file) {
        throw usage(std::string{where} + ": cannot open " + in_quotes(path) + ": " +
                    std::strerror(errno));
    }
    return read_all(file.get(), where, path);
}

}  // namespace qctl
