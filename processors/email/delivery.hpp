#pragma once

#include "processors/email/options.hpp"
#include "processors/email/payload.hpp"
#include "processors/email/smtp_client.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/outcome.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace libqueue::processors::email {

/// Whether the server has the mail now.
enum class mail_fate { taken, not_taken, doubtful };

/// What came of handing one mail over.
class delivery_report {
   public:
    explicit delivery_report(outcome said_) : said{std::move(said_)} {}

    outcome said;  ///< for the job, as if this were all there is to it
    mail_fate fate{mail_fate::not_taken};
    /// Positions among the recipients given. `accepted` is empty unless the mail was taken.
    std::vector<std::size_t> accepted;
    std::vector<std::pair<std::size_t, smtp_reply>> refused;
    std::string reply;  ///< to the mail, for people
};

/// Who got a mail and who did not, as the output of the job: addresses are masked.
class mail_summary {
   public:
    explicit mail_summary(std::string message_id_) : message_id{std::move(message_id_)} {}

    [[nodiscard]] std::string json() const;

    std::string message_id;
    std::vector<std::string> accepted;
    std::vector<std::pair<std::string, smtp_reply>> refused;
    std::vector<std::pair<std::string, std::string>> not_sent;  ///< address and reason
    std::string reply;
};

/// The processor apart from the engine and its tables. Any number of threads may call at once.
class sender {
   public:
    /// Throws std::invalid_argument naming every fault of the options.
    explicit sender(options given);

    /// The job's mail as its payload has it, which must not be a template, to all its recipients.
    [[nodiscard]] outcome deliver(const run_view& run);
    /// The mail to these recipients of it.
    [[nodiscard]] delivery_report deliver(const run_view& run, const mail_payload& mail,
                                          const std::vector<std::string>& recipients);

    [[nodiscard]] const options& given() const noexcept { return given_; }

   private:
    const options given_;
    smtp_client client_;
};

/// What a session's report means for the job.
[[nodiscard]] delivery_report report_of(const smtp_report& report,
                                        const std::vector<std::string>& recipients,
                                        const std::string& message_id, unknown_policy on_unknown,
                                        libqueue::stop_reason reason);

}  // namespace libqueue::processors::email
