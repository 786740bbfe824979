#pragma once

#include "processors/analytics/event.hpp"

#include <libqueue/statement.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::processors::analytics {

/// Elements of a PostgreSQL array in its text form, added one by one.
class column {
   public:
    void number(std::int64_t value);
    /// As it is: letters and digits without blanks.
    void word(std::string_view value);
    void text(std::string_view value);
    void word_or_null(std::string_view value);
    void text_or_null(std::string_view value);
    [[nodiscard]] std::string take() &&;

   private:
    void next();
    std::string elements_{"{"};
};

/// Events of any number of jobs, as the arrays that analytics.ingest and analytics.reject take.
class event_columns {
   public:
    event_columns() = default;
    void add(const event& one, std::string_view tenant);
    /// `reason`: late or ahead.
    void reject(const event& one, std::string_view tenant, std::string_view reason);
    [[nodiscard]] std::size_t size() const noexcept { return counted_; }

    /// What counts them and lists the rejected. Ends this object's use.
    [[nodiscard]] std::vector<statement> take() &&;

   private:
    class columns {
       public:
        column tenant, key, at, type, quantity, amount, customer, venue, channel, currency,
            reference, reason;
    };
    columns given_;
    columns rejected_;
    std::size_t counted_{0};
    std::size_t rejected_count_{0};
};

}  // namespace libqueue::processors::analytics
