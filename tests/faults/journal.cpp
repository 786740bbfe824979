#include "journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>

namespace faults {

void journal::read(const std::filesystem::path& file) {
    std::ifstream input{file};
    for (std::string text; std::getline(input, text) && !input.eof();) {
        std::istringstream fields{text};
        std::string what;
        std::string key;
        std::int64_t id = 0;
        fields >> what >> key;
        if (what == "I" && fields && intended.insert(key).second) {
            intents.push_back(key);
        } else if (what == "R" && fields) {
            ++repeats;
        } else if (what == "D" && fields) {
            ++duplicates;
        } else if (what == "A" && fields >> id) {
            const auto [known, fresh] = acknowledged.emplace(key, id);
            if (!fresh && known->second != id) {
                acknowledged_twice.push_back(key);
            }
        }
    }
}

std::vector<std::string> journal::open() const {
    std::vector<std::string> left;
    for (const std::string& key : intents) {
        if (!acknowledged.contains(key)) {
            left.push_back(key);
        }
    }
    return left;
}

journal_writer::journal_writer(const std::filesystem::path& file)
    : file_{::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600)} {
    if (file_ < 0) {
        throw std::system_error{errno, std::generic_category(), file.string()};
    }
    // An empty line is nobody's; what stands before it, cut short or not, is one.
    write("\n");
}

journal_writer::~journal_writer() {
    ::close(file_);
}

void journal_writer::write(const std::string& lines) {
    const auto written = ::write(file_, lines.data(), lines.size());
    if (written != static_cast<ssize_t>(lines.size()) || ::fdatasync(file_) != 0) {
        throw std::system_error{errno, std::generic_category(), "writing the journal"};
    }
}

libqueue::new_job job_of(const std::string& key, int ms_most) {
    std::seed_seq seed(key.begin(), key.end());
    std::mt19937 random{seed};
    const auto dice = random() % 100;
    const int ms = ms_most == 0 || random() % 2 == 0
                       ? 0
                       : 1 + static_cast<int>(random() % static_cast<unsigned>(ms_most));
    // Some fail at first, and a few always.
    const int fails = dice < 90 ? 0 : (dice < 98 ? 1 + static_cast<int>(random() % 2) : 99);
    libqueue::new_job job{
        random() % 5 == 0 ? "ledger.block" : "ledger.work",
        "{\"ms\":" + std::to_string(ms) + ",\"fails\":" + std::to_string(fails) + "}"};
    job.max_attempts = fails == 99 ? 2 : 5;
    job.idempotency_key = key;
    return job;
}

}  // namespace faults
