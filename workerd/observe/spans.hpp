#pragma once

#include <libqueue/job.hpp>
#include <libqueue/trace_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd::observe {

/// One span as it is exported: https://opentelemetry.io/docs/specs/otel/trace/api/ and
/// opentelemetry-proto trace/v1. A value.
class span {
   public:
    enum class kind { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };

    span(libqueue::trace_context at_, std::string name_, kind kind_)
        : at{at_}, name{std::move(name_)}, what{kind_} {}

    libqueue::trace_context at;
    std::uint64_t parent{0};  ///< 0: none
    std::vector<libqueue::trace_context> links;
    std::string name;
    kind what;
    std::int64_t begin_us{0};  ///< since 1970
    std::int64_t end_us{0};
    bool failed{false};
    std::vector<std::pair<std::string, std::string>> texts;
    std::vector<std::pair<std::string, std::int64_t>> numbers;
};

/// The body of POST /v1/traces: OTLP 1.x in its JSON form (ids in hexadecimal, 64-bit integers as
/// texts, enums as numbers).
[[nodiscard]] std::string otlp_json(
    const std::vector<span>& spans,
    const std::vector<std::pair<std::string, std::string>>& resource);

/// Spans the collector says it did not take (partialSuccess.rejectedSpans); 0 when it took all.
[[nodiscard]] std::int64_t rejected_spans(std::string_view answer);

}  // namespace workerd::observe
