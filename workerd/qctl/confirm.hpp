#pragma once

#include "command_table.hpp"
#include "settings.hpp"

#include <string>
#include <string_view>

// Danger rules. none and mild ask nothing. moderate asks [y/N], or takes --yes. severe asks for a
// name to be typed, or takes --confirm NAME; --yes is not enough for it. Without a terminal to ask
// at, a verb that lacks its flag is refused before anything is looked up. In a protected context
// --yes answers nothing: the context's name is asked for, by mild verbs too.

namespace qctl {

/// First thing a verb does: throws `stop` (usage) when the answer can neither be read from the
/// flags nor asked for. A dry run needs no answer.
void demand_consent(const settings& options, danger level, std::string_view name);

/// Asks, when the flags did not answer already. `action` completes "This will ...". Throws `stop`
/// (failed, code `declined`) when the answer is no.
void ask_consent(const settings& options, danger level, std::string_view name,
                 const std::string& action);

/// In a protected context, before any verb that changes something: its name must be typed or passed
/// with --confirm. A severe verb asks for a name of its own, which is as much.
void demand_context_consent(const settings& options, const command& leaf);

}  // namespace qctl
