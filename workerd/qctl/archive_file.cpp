#include "archive_file.hpp"

#include "descriptor.hpp"
#include "printable.hpp"
#include "render.hpp"
#include "render_table.hpp"
#include "stop.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace qctl {

namespace {

using libqueue::job_id;

constexpr std::size_t buffer_bytes = 1024 * 1024;
constexpr std::size_t files_kept = 4;

[[noreturn]] void fail(const std::string& doing, const std::string& path, int number) {
    throw stop{exit_code::failed, "io",
               doing + " " + printable(path) + ": " + std::strerror(number),
               "nothing was removed from the database that is not in a whole file"};
}

std::string csv_field(libqueue::column_type type, const std::optional<std::string>& cell) {
    if (!cell) {
        return {};
    }
    const auto text = plain_cell(type, *cell);
    if (!text.empty() && text.find_first_of(",\"\n\r") == std::string::npos) {
        return text;
    }
    std::string field{"\""};
    for (const char c : text) {
        field += c;
        field += c == '"' ? "\"" : "";
    }
    return field + '"';
}

std::optional<job_id> leading_id(std::string_view text) {
    job_id id = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
    return fault == std::errc{} && end != text.data() ? std::optional{id} : std::nullopt;
}

std::optional<job_id> id_of(std::string_view record, archive_format format) {
    constexpr std::string_view head{"{\"id\":"};
    if (format == archive_format::csv) {
        return leading_id(record);
    }
    return record.starts_with(head) ? leading_id(record.substr(head.size())) : std::nullopt;
}

// The name of a file is durable when its folder is.
void sync_folder(const std::string& folder) {
    const descriptor open{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (open.get() < 0 || ::fsync(open.get()) != 0) {
        fail("cannot make durable", folder, errno);
    }
}

std::string joined(const std::string& folder, const std::string& name) {
    return (std::filesystem::path{folder} / name).string();
}

}  // namespace

std::optional<archive_format> parse_archive_format(std::string_view text) noexcept {
    for (const auto format : {archive_format::jsonl, archive_format::csv}) {
        if (text == to_string(format)) {
            return format;
        }
    }
    return std::nullopt;
}

std::string_view to_string(archive_format format) noexcept {
    switch (format) {
        case archive_format::jsonl:
            return "jsonl";
        case archive_format::csv:
            return "csv";
    }
    return "invalid";
}

std::string archive_record(const libqueue::report& page, std::size_t row, archive_format format) {
    if (format == archive_format::jsonl) {
        return json_object(page, row) + '\n';
    }
    std::string line;
    for (std::size_t i = 0; i < page.columns.size(); ++i) {
        line += (i == 0 ? "" : ",") + csv_field(page.columns[i].type, page.rows[row][i]);
    }
    return line + '\n';
}

std::string archive_header(const libqueue::report& page, archive_format format) {
    std::string line;
    if (format == archive_format::jsonl) {
        return line;
    }
    for (const auto& column : page.columns) {
        line += (line.empty() ? "" : ",") + column.name;
    }
    return line + '\n';
}

archive_writer::archive_writer(std::string folder, const std::string& part)
    : folder_{std::move(folder)}, part_{joined(folder_, part)} {
    file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) {
        fail("cannot write", part_, errno);
    }
    // What a killed process left is written over; one that lives holds the lock.
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
        ::close(std::exchange(file_, -1));
        throw stop{exit_code::refused, "busy", "another process is writing " + printable(part_),
                   "wait for it, or export to another folder"};
    }
    if (::ftruncate(file_, 0) != 0) {
        const int why = errno;
        ::close(std::exchange(file_, -1));
        fail("cannot write", part_, why);
    }
}

archive_writer::~archive_writer() {
    if (file_ >= 0) {
        if (!published_) {
            ::unlink(part_.c_str());
        }
        ::close(file_);
    }
}

void archive_writer::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= buffer_bytes) {
        flush();
    }
}

void archive_writer::flush() {
    std::string_view left{buffer_};
    while (!left.empty()) {
        const auto written = ::write(file_, left.data(), left.size());
        if (written < 0 && errno != EINTR) {
            fail("cannot write", part_, errno);
        }
        left.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    buffer_.clear();
}

void archive_writer::publish(const std::string& name) {
    const auto path = joined(folder_, name);
    flush();
    if (::fsync(file_) != 0) {
        fail("cannot write", part_, errno);
    }
    // Never in place of another file: it may hold rows that are nowhere else.
    if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
        fail("cannot make", path, errno);
    }
    published_ = true;
    sync_folder(folder_);
}

void read_archive_file(const std::string& path, archive_format format,
                       const record_visitor& visit) {
    std::ifstream file{path, std::ios::binary};
    if (!file) {
        fail("cannot read", path, errno);
    }
    std::string record;
    std::string line;
    bool quoted = false;
    bool header = format == archive_format::csv;
    while (std::getline(file, line)) {
        record += line;
        record += '\n';
        if (format == archive_format::csv) {
            // A line break inside a field; a doubled quote turns twice.
            quoted ^= std::count(line.begin(), line.end(), '"') % 2 == 1;
            if (quoted) {
                continue;
            }
        }
        if (!std::exchange(header, false)) {
            const auto id = id_of(record, format);
            if (!id) {
                throw stop{exit_code::failed, "not_an_archive",
                           printable(path) + ": expected archived jobs, got " +
                               printable(record.substr(0, 60))};
            }
            visit(*id, record);
        }
        record.clear();
    }
    if (file.bad()) {
        fail("cannot read", path, errno);
    }
}

archive_folder::archive_folder(std::string folder, std::string archive, archive_format format)
    : folder_{std::move(folder)}, archive_{std::move(archive)}, format_{format} {
    std::error_code fault;
    const std::string head = archive_ + '.';
    const std::string tail = '.' + std::string{to_string(format)};
    for (const auto& file : std::filesystem::directory_iterator{folder_, fault}) {
        std::string name = file.path().filename().string();
        if (!name.starts_with(head) || !name.ends_with(tail) ||
            name.size() <= head.size() + tail.size()) {
            continue;
        }
        name = name.substr(head.size(), name.size() - head.size() - tail.size());
        const auto dash = name.find('-');
        const auto first = leading_id(name);
        const auto last =
            dash == std::string::npos ? std::nullopt : leading_id(name.substr(dash + 1));
        if (first && last && file_name(*first, *last) == head + name + tail) {
            files_.push_back({*first, *last});
        }
    }
    if (fault) {
        fail("cannot read", folder_, fault.value());
    }
}

std::string archive_folder::file_name(job_id first, job_id last) const {
    return archive_ + '.' + std::to_string(first) + '-' + std::to_string(last) + '.' +
           std::string{to_string(format_)};
}

void archive_folder::add(job_id first, job_id last) {
    files_.push_back({first, last});
}

bool archive_folder::holds(job_id id, std::string_view record) {
    return std::ranges::any_of(files_, [&](const entry& file) {
        if (id < file.first || id > file.last) {
            return false;
        }
        const auto& known = digests_of(file);
        const auto found = known.find(id);
        return found != known.end() && found->second == std::hash<std::string_view>{}(record);
    });
}

const archive_folder::digests& archive_folder::digests_of(const entry& file) {
    const auto name = file_name(file.first, file.last);
    const auto known = std::ranges::find(read_, name, &std::pair<std::string, digests>::first);
    if (known != read_.end()) {
        return known->second;
    }
    digests all;
    read_archive_file(joined(folder_, name), format_, [&](job_id id, std::string_view record) {
        all.emplace(id, std::hash<std::string_view>{}(record));
    });
    if (read_.size() == files_kept) {
        read_.erase(read_.begin());
    }
    return read_.emplace_back(name, std::move(all)).second;
}

}  // namespace qctl
