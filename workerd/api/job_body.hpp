#pragma once

#include <libqueue/job.hpp>

#include <string>
#include <string_view>
#include <vector>

// Jobs as request bodies carry them. Payloads and meta stay the text they came as: their numbers
// must not change.

namespace workerd::api {

/// One job from the text of a JSON object. Refuses (400) members that no job has and values of
/// another type; `where` is where the object stands: "body", "body.jobs[3]". What the library
/// checks is left to it.
[[nodiscard]] libqueue::new_job read_job(std::string_view object, const std::string& where);

/// The elements of a JSON array that is known to be sound; parts of its text.
[[nodiscard]] std::vector<std::string_view> json_items(std::string_view array);

}  // namespace workerd::api
