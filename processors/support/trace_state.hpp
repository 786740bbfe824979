#pragma once

#include <string>
#include <string_view>

namespace libqueue::processors {

/// Is it a `tracestate` of W3C Trace Context
/// (https://www.w3.org/TR/trace-context/#tracestate-header): 1 to 32 `key=value`, at most 512
/// bytes? Pure; any thread.
[[nodiscard]] bool is_tracestate(std::string_view text) noexcept;

/// meta.tracestate of a job; empty when there is none or it is not valid: what would not be taken
/// is not passed on. `meta` is the JSON text of an object or empty. Pure; any thread.
[[nodiscard]] std::string tracestate_in(std::string_view meta);

}  // namespace libqueue::processors
