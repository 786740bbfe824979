#pragma once

#include <libqueue/operations.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// Files of archived jobs: how a row is written, how a file comes to be whole or not at all, and
// which rows the files of a folder hold already. Each throws `stop` when the disk does not do what
// it should. One thread.

namespace qctl {

enum class archive_format { jsonl, csv };

[[nodiscard]] std::optional<archive_format> parse_archive_format(std::string_view text) noexcept;
[[nodiscard]] std::string_view to_string(archive_format format) noexcept;

/// One row as it stands in a file, line break included. CSV as of RFC 4180: NULL is an empty field,
/// an empty text `""`.
[[nodiscard]] std::string archive_record(const libqueue::report& page, std::size_t row,
                                         archive_format format);
/// What a file begins with.
[[nodiscard]] std::string archive_header(const libqueue::report& page, archive_format format);

/// A file under another name until it is whole: `publish` makes it durable and gives it its name,
/// which must be free. Without that nothing is left. A second process that writes the same archive
/// to the same folder is refused.
class archive_writer {
   public:
    /// `folder` exists. `part` is the temporary name.
    archive_writer(std::string folder, const std::string& part);
    ~archive_writer();
    archive_writer(const archive_writer&) = delete;
    archive_writer& operator=(const archive_writer&) = delete;

    void write(std::string_view text);
    void publish(const std::string& name);

   private:
    void flush();

    std::string folder_;
    std::string part_;
    std::string buffer_;
    int file_{-1};
    bool published_{false};
};

using record_visitor = std::function<void(libqueue::job_id id, std::string_view record)>;

/// Calls with each record of a file in order.
void read_archive_file(const std::string& path, archive_format format, const record_visitor& visit);

/// The files an archive has in a folder, by their names: `payment_archive.17-4711.jsonl`.
class archive_folder {
   public:
    archive_folder(std::string folder, std::string archive, archive_format format);

    [[nodiscard]] std::string file_name(libqueue::job_id first, libqueue::job_id last) const;
    /// Does a file hold this very record? One that reads otherwise, as that of another database or
    /// of before an erasure, is not the same.
    [[nodiscard]] bool holds(libqueue::job_id id, std::string_view record);
    void add(libqueue::job_id first, libqueue::job_id last);

    [[nodiscard]] const std::string& path() const noexcept { return folder_; }

   private:
    class entry {
       public:
        libqueue::job_id first;
        libqueue::job_id last;
    };
    using digests = std::unordered_map<libqueue::job_id, std::size_t>;

    const digests& digests_of(const entry& file);

    std::string folder_;
    std::string archive_;
    archive_format format_;
    std::vector<entry> files_;
    // Of the files read last: ids ascend, so two or three are in use at a time.
    std::vector<std::pair<std::string, digests>> read_;
};

}  // namespace qctl
