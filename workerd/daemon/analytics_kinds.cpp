#include "processor_kinds.hpp"
#include "processors/analytics/processor.hpp"

#include <utility>

namespace workerd {

namespace analytics = libqueue::processors::analytics;

std::vector<libqueue::registration> analytics_kinds(const config& value) {
    if (!value.processors.analytics)
        return {};
    const analytics_config& given = *value.processors.analytics;
    analytics::options options;
    options.customer_key = libqueue::processors::secret{given.customer_key};
    options.max_late = given.max_late;
    options.max_ahead = given.max_ahead;
    options.slack_url = libqueue::processors::secret{given.slack_url};
    options.slack_allow_private = given.slack_allow_private;
    return analytics::make_registrations(std::move(options));
}

void add_analytics_options(const config& value, libqueue::worker_options& into) {
    if (value.processors.analytics)
        add_migrations(analytics::migrations(), into);
}

}  // namespace workerd
