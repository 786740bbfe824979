#pragma once

namespace faults {

/// Turns on the bug named by the environment variable LIBQUEUE_PLANTED_BUG; none when it is empty.
/// An unknown name ends the process with edit_failed_code. Before any connection is made.
void plant_bug_of_environment();

}  // namespace faults
