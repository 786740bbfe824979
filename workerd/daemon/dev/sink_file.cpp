#include "dev/sink_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <fstream>
#include <stdexcept>

namespace workerd {

std::filesystem::path write_sink_file(const std::filesystem::path& folder,
                                      std::string_view extension, std::string_view content) {
    static std::atomic<unsigned> number{0};
    const auto now = std::chrono::system_clock::now();
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    const auto name = fmt::format("{:%Y%m%dT%H%M%S}.{:06}-{:04}{}",
                                  fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                                  micros.count() % 1'000'000, number++ % 10'000, extension);
    const auto path = folder / name;
    const auto partial = folder / ("." + name + ".part");
    {
        std::ofstream out{partial, std::ios::binary};
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
        out.flush();
        if (!out)
            throw std::runtime_error{fmt::format("cannot write {}", partial.string())};
    }
    std::filesystem::rename(partial, path);
    return path;
}

}  // namespace workerd
