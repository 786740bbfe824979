#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array worker_argument{
    argument{"ID", arity::one, value_type::integer, "Of the worker, as qctl workers list prints"}};

inline constexpr std::array<std::string_view, 1> workers_list_examples{"qctl workers list"};
inline constexpr std::array<std::string_view, 2> workers_show_examples{
    "qctl workers show 17", "qctl workers show 17 -o json"};
inline constexpr std::array<std::string_view, 1> workers_quiet_examples{
    "qctl workers quiet 17 --yes"};
inline constexpr std::array<std::string_view, 1> workers_drain_examples{
    "qctl workers drain 17 --yes"};
inline constexpr std::array<std::string_view, 1> workers_stop_examples{
    "qctl workers stop 17 --yes"};
inline constexpr std::array<std::string_view, 1> workers_resume_examples{"qctl workers resume 17"};

inline constexpr std::array workers_commands{
    command{.id = verb::workers_list,
            .group = "workers",
            .name = "list",
            .summary = "List worker processes",
            .examples = workers_list_examples,
            .columns = "id,name,state,live,asked,active,queues,version,started_at,beat_at"},
    command{.id = verb::workers_show,
            .group = "workers",
            .name = "show",
            .summary = "Everything about one worker, and the jobs it runs",
            .arguments = worker_argument,
            .examples = workers_show_examples},
    command{.id = verb::workers_quiet,
            .group = "workers",
            .name = "quiet",
            .summary = "Ask a worker to claim nothing; what it runs finishes",
            .doc = "It hears of it with its next heartbeat and stays. Exit 5 when it is leaving or "
                   "gives no sign of life.",
            .arguments = worker_argument,
            .examples = workers_quiet_examples,
            .risk = danger::moderate},
    command{.id = verb::workers_drain,
            .group = "workers",
            .name = "drain",
            .summary = "Ask a worker to claim nothing and to leave once it runs nothing",
            .doc = "It hears of it with its next heartbeat, and waits for what it runs however "
                   "long that takes. Exit 5 when it is leaving or gives no sign of life.",
            .arguments = worker_argument,
            .examples = workers_drain_examples,
            .risk = danger::moderate},
    command{.id = verb::workers_stop,
            .group = "workers",
            .name = "stop",
            .summary = "Ask a worker to leave as at SIGTERM",
            .doc = "It hears of it with its next heartbeat; what does not finish within its "
                   "worker.drain_timeout is run by others. The process ends with exit 0: what "
                   "starts it again is up to whoever looks after it. Exit 5 when it is leaving or "
                   "gives no sign of life.",
            .arguments = worker_argument,
            .examples = workers_stop_examples,
            .risk = danger::moderate},
    command{.id = verb::workers_resume,
            .group = "workers",
            .name = "resume",
            .summary = "Let a worker go on that was asked to be quiet or to drain",
            .doc = "Too late once it leaves: exit 5.",
            .arguments = worker_argument,
            .examples = workers_resume_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
