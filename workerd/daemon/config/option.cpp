#include "config/option.hpp"

#include "config/option_sections.hpp"

#include <libqueue/duration.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace workerd {

std::span<const option> all_options() {
    static const std::vector<option> rows = [] {
        std::vector<option> joined;
        const std::array sections{
            database_option_rows(),  queue_option_rows(),      limit_option_rows(),
            kind_option_rows(),      encryption_option_rows(), worker_option_rows(),
            processor_option_rows(), analytics_option_rows(),  mail_option_rows(),
            mint_option_rows(),      payment_option_rows(),    webhook_option_rows(),
            http_option_rows(),      surface_option_rows(),    metric_option_rows(),
            alert_option_rows(),     dashboard_option_rows(), tenancy_option_rows()};
        for (const auto section : sections)
            joined.insert(joined.end(), section.begin(), section.end());
        return joined;
    }();
    return rows;
}

const option& option_at(std::string_view path) {
    for (const auto& row : all_options()) {
        if (row.path == path)
            return row;
    }
    fmt::print(stderr, "workerd: no option {}\n", path);
    std::abort();
}

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> segments;
    while (true) {
        const auto dot = path.find('.');
        segments.push_back(path.substr(0, dot));
        if (dot == std::string_view::npos)
            return segments;
        path.remove_prefix(dot + 1);
    }
}

std::string expectation(const option& row) {
    const bool limited = row.min != 0 || row.max != 0;
    switch (row.type) {
        case option_type::boolean:
            return "true or false";
        case option_type::integer:
            return limited ? fmt::format("a whole number from {} to {}", row.min, row.max)
                           : "a whole number";
        case option_type::duration: {
            const std::chrono::milliseconds least{row.min};
            const std::chrono::milliseconds most{row.max};
            return fmt::format("a duration from {} to {}", libqueue::format_duration(least),
                               libqueue::format_duration(most));
        }
        case option_type::rate:
            return "a rate from 0.000001/s to 100000/s";
        case option_type::text:
            return limited ? fmt::format("text of {} to {} bytes", row.min, row.max) : "text";
        case option_type::name:
            return fmt::format("a name of {} to {} characters a-z 0-9 _ . -", row.min, row.max);
        case option_type::identifier:
            return fmt::format("an SQL name of {} to {} characters a-z 0-9 _", row.min, row.max);
        case option_type::choice: {
            std::string text = "one of ";
            for (const char letter : row.choices)
                text += letter == '|' ? std::string{", "} : std::string{letter};
            return text;
        }
        case option_type::address:
            return "an address and port, host:port";
        case option_type::dsn:
            return "a PostgreSQL connection string without a password";
        case option_type::file:
            return "the path of a readable file";
        case option_type::secret_file:
            return "the path of a file only its owner can read, or a systemd credential";
        case option_type::directory:
            return "a path";
        case option_type::text_list:
            return "a list of texts";
    }
    return "a value";
}

std::string_view to_string(option_type type) noexcept {
    switch (type) {
        case option_type::boolean:
            return "boolean";
        case option_type::integer:
            return "integer";
        case option_type::duration:
            return "duration";
        case option_type::rate:
            return "rate";
        case option_type::text:
            return "text";
        case option_type::name:
            return "name";
        case option_type::identifier:
            return "SQL name";
        case option_type::choice:
            return "choice";
        case option_type::address:
            return "address";
        case option_type::dsn:
            return "connection string";
        case option_type::file:
            return "file";
        case option_type::secret_file:
            return "secret file";
        case option_type::directory:
            return "directory";
        case option_type::text_list:
            return "list of texts";
    }
    return "value";
}

}  // namespace workerd
