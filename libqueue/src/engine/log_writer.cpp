#include "engine/log_writer.hpp"

#include "core/limits.hpp"
#include "engine/acknowledgement.hpp"
#include "engine/runtime.hpp"

#include <algorithm>
#include <utility>

namespace libqueue::engine {
namespace {

// Of one beat: some 10 ms of the server's time.
constexpr std::size_t lines_max{4'000};
constexpr std::size_t bytes_max{std::size_t{1} << 20};
// Of one turn. The last of its finishes may add what one attempt may say.
constexpr std::size_t turn_bytes_max{std::size_t{4} << 20};

}  // namespace

pg::params log_params(std::span<const written_line> lines) {
    const auto now = clock::now();
    std::vector<std::int64_t> jobs;
    std::vector<std::int64_t> leases;
    std::vector<std::int32_t> numbers;
    std::vector<std::int64_t> ages;
    std::vector<std::optional<std::string_view>> levels;
    std::vector<std::optional<std::string_view>> messages;
    for (const written_line& each : lines) {
        jobs.push_back(each.job);
        leases.push_back(each.lease);
        numbers.push_back(each.line.number);
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - each.line.at);
        ages.push_back(age.count());
        levels.emplace_back(to_string(each.line.level));
        messages.emplace_back(each.line.message);
    }
    pg::params p;
    p.int8_array(jobs).int8_array(leases).int4_array(numbers).int8_array(ages);
    p.text_array(levels).text_array(messages);
    return p;
}

std::vector<written_line> lines_of(std::span<const acknowledgement> batch) {
    std::vector<written_line> lines;
    for (const acknowledgement& ack : batch) {
        for (const log_line& line : ack.log) {
            lines.emplace_back(ack.job, ack.lease, line);
        }
    }
    return lines;
}

std::size_t turn_share(std::span<const acknowledgement> pending) {
    std::size_t share = 0;
    std::size_t bytes = 0;
    const auto most = static_cast<std::size_t>(limits::acknowledge_batch_max);
    while (share < std::min(pending.size(), most) && bytes < turn_bytes_max) {
        for (const log_line& line : pending[share].log) {
            bytes += line.message.size();
        }
        ++share;
    }
    return share;
}

void log_writer::collect() {
    for (const run_ptr& run : shared_.running) {
        for (log_line& line : run->take_log(false)) {
            unsent_.emplace_back(run->job.id, run->job.lease, std::move(line));
        }
    }
    std::move(shared_.loose_log.begin(), shared_.loose_log.end(), std::back_inserter(unsent_));
    shared_.loose_log.clear();
}

void log_writer::send(pg::pipeline& on) {
    collect();
    std::size_t bytes = 0;
    sent_ = 0;
    while (sent_ < std::min(unsent_.size(), lines_max) && bytes < bytes_max) {
        bytes += unsent_[sent_++].line.message.size();
    }
    if (sent_ > 0) {
        on.send(shared_.sql.put_job_log, log_params(std::span{unsent_}.first(sent_)));
    }
}

bool log_writer::committed() {
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
    return !unsent_.empty();
}

}  // namespace libqueue::engine
