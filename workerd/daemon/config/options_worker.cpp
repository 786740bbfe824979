#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "worker.name",
           .type = option_type::text,
           .min = 1,
           .max = 128,
           .sample = "mail-1",
           .doc =
               "What people see in lists and logs. Unset: host and process id. Identity does not "
               "depend on it.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.worker.name = v.text;
               }},
    option{.path = "worker.heartbeat",
           .type = option_type::duration,
           .standard = "2s",
           .min = 100,
           .max = 300'000,
           .doc = "How often this process says in the database that it is alive.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.worker.heartbeat = std::chrono::milliseconds{v.number};
               }},
    option{.path = "worker.lease",
           .type = option_type::duration,
           .standard = "10s",
           .min = 300,
           .max = 3'600'000,
           .doc = "Silence after which the others take this process for dead and rescue its jobs. "
                  "More than two heartbeats.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.worker.lease = std::chrono::milliseconds{v.number};
               }},
    option{.path = "worker.poll_interval",
           .type = option_type::duration,
           .standard = "5s",
           .min = 10,
           .max = 300'000,
           .doc = "How often an idle worker looks for jobs when no wake-up arrives.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.worker.poll_interval = std::chrono::milliseconds{v.number};
               }},
    option{.path = "worker.drain_timeout",
           .type = option_type::duration,
           .standard = "30s",
           .min = 0,
           .max = 86'400'000,
           .reloadable = true,
           .doc = "How long SIGTERM waits for running jobs before it gives them back. The "
                  "supervisor must wait longer (systemd: TimeoutStopSec).",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.worker.drain_timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "worker.threads",
           .type = option_type::integer,
           .standard = "0",
           .min = 0,
           .max = 1'024,
           .doc = "Threads for handlers that block. 0: as many as the queues' concurrency adds up "
                  "to, at most 64.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.worker.threads = static_cast<int>(v.number);
               }},
};

}  // namespace

std::span<const option> worker_option_rows() {
    return rows;
}

}  // namespace workerd
