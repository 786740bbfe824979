#include "processor_kinds.hpp"

#include "processors/debug/processor.hpp"

#include <algorithm>
#include <utility>

namespace workerd {

std::vector<libqueue::registration> debug_kinds(const config& value) {
    return value.processors.debug ? libqueue::processors::debug::make_registrations()
                                  : std::vector<libqueue::registration>{};
}

void add_migrations(libqueue::migration_set set, libqueue::worker_options& into) {
    const bool known = std::any_of(into.migration_sets.begin(), into.migration_sets.end(),
                                   [&](const auto& other) { return other.schema == set.schema; });
    if (!known)
        into.migration_sets.push_back(std::move(set));
}

void add_limit(libqueue::limit_options limit, libqueue::worker_options& into) {
    const bool known = std::any_of(into.limits.begin(), into.limits.end(),
                                   [&](const auto& other) { return other.name == limit.name; });
    if (!known)
        into.limits.push_back(std::move(limit));
}

}  // namespace workerd
