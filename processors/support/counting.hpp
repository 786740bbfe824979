#pragma once

#include <libqueue/outcome.hpp>
#include <libqueue/worker.hpp>

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace libqueue::processors {

/// What a handler's answer counts for; called on the handler's thread when it has returned, with
/// its context and what it said. Counts by `context.count`; must not throw.
using count_rule = void (*)(job_context& context, const outcome& said);

/// Makes the handlers of these kinds, all but those for many jobs, tell what they have done. The
/// handlers given must not be changed afterwards.
[[nodiscard]] std::vector<registration> with_counts(std::vector<registration> kinds,
                                                    count_rule rule);

/// The members of an output, or none.
[[nodiscard]] boost::json::object members_of_output(const outcome& said);
/// A text member, or empty.
[[nodiscard]] std::string text_member(const boost::json::object& of, std::string_view name);
/// A number member, or 0.
[[nodiscard]] double number_member(const boost::json::object& of, std::string_view name);

}  // namespace libqueue::processors
