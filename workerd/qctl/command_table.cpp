#include "command_table.hpp"

#include "table/access.hpp"
#include "table/alerts.hpp"
#include "table/archive.hpp"
#include "table/batches.hpp"
#include "table/config.hpp"
#include "table/contexts.hpp"
#include "table/dlq.hpp"
#include "table/enqueue.hpp"
#include "table/global.hpp"
#include "table/jobs.hpp"
#include "table/keys.hpp"
#include "table/limits.hpp"
#include "table/mail.hpp"
#include "table/migrate.hpp"
#include "table/ops.hpp"
#include "table/queues.hpp"
#include "table/schedules.hpp"
#include "table/topics.hpp"
#include "table/webhooks.hpp"
#include "table/workers.hpp"
#include "table/workflows.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace qctl {

namespace {

template <std::size_t... Sizes>
consteval auto joined(const std::array<command, Sizes>&... parts) {
    std::array<command, (Sizes + ...)> all = [&]<std::size_t... At>(std::index_sequence<At...>) {
        const command* const from[]{parts.data()...};
        constexpr std::size_t sizes[]{Sizes...};
        const auto pick = [&](std::size_t at) -> const command& {
            std::size_t part = 0;
            while (at >= sizes[part]) {
                at -= sizes[part++];
            }
            return from[part][at];
        };
        return std::array<command, (Sizes + ...)>{pick(At)...};
    }
    (std::make_index_sequence<(Sizes + ...)>{});
    return all;
}

constexpr auto all_commands = joined(
    table::enqueue_commands, table::jobs_commands, table::dlq_commands, table::ops_commands,
    table::queues_commands, table::limits_commands, table::schedules_commands,
    table::batches_commands, table::workflows_commands, table::topics_commands,
    table::webhooks_commands, table::mail_commands, table::archive_commands, table::keys_commands,
    table::access_commands, table::alerts_commands, table::workers_commands, table::sight_commands,
    table::top_commands, table::care_commands, table::migrate_commands, table::config_commands,
    table::context_commands, table::api_commands, table::man_commands, table::about_commands);

// A slip in the table is a compile error: every verb once and in the order of the enum, every
// flag documented and never shadowing a global one.
consteval bool table_is_sound() {
    if (all_commands.size() != static_cast<std::size_t>(verb::help) + 1) {
        return false;
    }
    for (std::size_t i = 0; i < all_commands.size(); ++i) {
        const auto& entry = all_commands[i];
        if (static_cast<std::size_t>(entry.id) != i || entry.summary.empty() ||
            entry.examples.empty()) {
            return false;
        }
        for (const auto& own : entry.flags) {
            const bool valued = own.type != value_type::none;
            if (own.doc.empty() || valued == own.metavar.empty()) {
                return false;
            }
            for (const auto& global : table::global_flags) {
                if (own.name == global.name ||
                    (own.letter != '\0' && own.letter == global.letter)) {
                    return false;
                }
            }
        }
    }
    return true;
}
static_assert(table_is_sound());

}  // namespace

std::span<const command> commands() noexcept {
    return all_commands;
}

std::span<const command_group> command_groups() noexcept {
    return table::groups;
}

std::span<const flag> global_flags() noexcept {
    return table::global_flags;
}

const command& find_command(verb id) noexcept {
    return all_commands[static_cast<std::size_t>(id)];
}

const command* find_command(std::string_view group, std::string_view name) noexcept {
    const auto found = std::ranges::find_if(all_commands, [&](const command& entry) {
        return entry.group == group && entry.name == name;
    });
    return found == all_commands.end() ? nullptr : &*found;
}

bool is_group(std::string_view name) noexcept {
    return std::ranges::any_of(table::groups,
                               [&](const command_group& group) { return group.name == name; });
}

}  // namespace qctl
