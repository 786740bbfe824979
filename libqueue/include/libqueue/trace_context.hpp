#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue {

/// A span's place in a trace, as the header `traceparent` of W3C Trace Context carries it
/// (https://www.w3.org/TR/trace-context/, version 00). A value; any thread.
class trace_context {
   public:
    trace_context() = default;
    trace_context(std::uint64_t trace_high_, std::uint64_t trace_low_, std::uint64_t span_,
                  bool sampled_)
        : trace_high{trace_high_}, trace_low{trace_low_}, span{span_}, sampled{sampled_} {}

    /// Nothing when the text is no traceparent: other characters, a wrong length, an id of zeros.
    /// Of later versions the part is read that version 00 knows.
    [[nodiscard]] static std::optional<trace_context> parse(std::string_view text) noexcept;
    /// "00-<trace id>-<span id>-01", the last two digits 00 when it is not sampled.
    [[nodiscard]] std::string header() const;
    /// 32 and 16 hexadecimal digits in lower case.
    [[nodiscard]] std::string trace_id() const;
    [[nodiscard]] std::string span_id() const;
    /// Another span of the same trace.
    [[nodiscard]] trace_context with_span(std::uint64_t other) const noexcept {
        return trace_context{trace_high, trace_low, other, sampled};
    }

    std::uint64_t trace_high{0};
    std::uint64_t trace_low{0};
    std::uint64_t span{0};
    bool sampled{false};
};
static_assert(!std::is_aggregate_v<trace_context>);

/// An id that is never zero and spreads what it is made of over all bits (splitmix64, Steele, Lea
/// and Flood 2014): equal arguments give equal ids, so a span's id need not be kept anywhere.
[[nodiscard]] std::uint64_t spread_id(std::uint64_t from, std::uint64_t and_from) noexcept;

}  // namespace libqueue
