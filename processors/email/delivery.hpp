#pragma once

#include "processors/email/options.hpp"
#include "processors/email/payload.hpp"
#include "processors/email/smtp_client.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/outcome.hpp>

#include <memory>
#include <string>
#include <vector>

namespace libqueue::processors::email {

/// The processor apart from the engine. Any number of threads may call `deliver` at once.
class sender {
   public:
    /// Throws std::invalid_argument naming every fault of the options.
    explicit sender(options given);

    [[nodiscard]] outcome deliver(const run_view& run);

    [[nodiscard]] const options& given() const noexcept { return given_; }

   private:
    const options given_;
    smtp_client client_;
};

/// What a session's report means for the job.
[[nodiscard]] outcome outcome_of(const smtp_report& report,
                                 const std::vector<std::string>& recipients,
                                 const std::string& message_id, unknown_policy on_unknown,
                                 libqueue::stop_reason reason);

}  // namespace libqueue::processors::email
