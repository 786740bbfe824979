#include "processors/support/contacts/admission.hpp"

#include "processors/support/sql_text.hpp"

#include <sql/contacts_admit.hpp>
#include <sql/contacts_release.hpp>
#include <sql/contacts_suppress.hpp>

#include <processors_support/migrations.hpp>

#include <algorithm>
#include <charconv>

namespace libqueue::processors::contacts {

migration_set migrations() {
    return embedded_migrations();
}

statement admission_request::question() const {
    return statement{std::string{sql::contacts_admit},
                     {std::to_string(job_id), tenant_id, channel, category, text_array(addresses),
                      std::to_string(hourly)}};
}

admission::admission(const rows& answer) {
    for (std::size_t at = 0; at < answer.size(); ++at) {
        const auto decision = answer.text(at, 1);
        tokens.push_back(answer.text(at, 4));
        if (decision == "send") {
            allowed.push_back(at);
            continue;
        }
        const auto& text = answer.value(at, 3);
        if (!text) {
            refused.emplace_back(at, decision);
            continue;
        }
        std::int64_t ms = 0;
        std::from_chars(text->data(), text->data() + text->size(), ms);
        const std::chrono::milliseconds until{std::max<std::int64_t>(ms, 1)};
        if (!wait || until > *wait) {
            wait = until;
            wait_reason = decision;
        }
    }
}

statement release(std::int64_t job_id) {
    return statement{std::string{sql::contacts_release}, {std::to_string(job_id)}};
}

statement suppress(const std::optional<std::string>& tenant_id, std::string_view channel,
                   std::string_view address, std::string_view reason, std::string_view detail) {
    return statement{std::string{sql::contacts_suppress},
                     {tenant_id, std::string{channel}, std::string{address}, std::string{reason},
                      std::string{detail}}};
}

}  // namespace libqueue::processors::contacts
