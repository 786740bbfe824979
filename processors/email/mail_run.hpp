#pragma once

#include "processors/email/delivery.hpp"
#include "processors/email/mail_template.hpp"
#include "processors/support/contacts/admission.hpp"

#include <libqueue/job_context.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace libqueue::processors::email {

/// One run of `email.send`, from the payload to what is recorded: asks the stores, fills the
/// template in, leaves out who may not be written to, and hands the mail over. On the worker's
/// thread pool; once.
///
/// Recipients that were put off (4yz) while others got the mail are tried again by the next
/// attempt, alone: who has it is kept as the job's checkpoint. The last attempt completes, and
/// tells in its output who was refused. Under `on_unknown: park` there is one attempt at a time
/// with an effect of the ledger around it, and who was put off is only told.
class mail_run {
   public:
    mail_run(sender& with, job_context& context) : with_{with}, context_{context}, view_{context} {}

    [[nodiscard]] outcome run();

   private:
    /// Each: the end of the run, or nothing to go on.
    [[nodiscard]] std::optional<outcome> ask_templates();
    [[nodiscard]] std::optional<outcome> ask_admission();
    [[nodiscard]] std::optional<outcome> make_content();

    [[nodiscard]] outcome hand_over();
    [[nodiscard]] outcome hand_over_once();
    [[nodiscard]] outcome concluded(delivery_report report, const std::vector<std::size_t>& tried);
    [[nodiscard]] bool keep_for_next_attempt(const delivery_report& report,
                                             const std::vector<std::size_t>& tried);
    void read_checkpoint();
    [[nodiscard]] mail_summary summary_of(const delivery_report& report,
                                          const std::vector<std::size_t>& tried) const;
    [[nodiscard]] std::vector<std::string> addresses(const std::vector<std::size_t>& places) const;

    sender& with_;
    job_context& context_;
    run_view view_;
    mail_payload mail_;
    std::vector<std::string> recipients_;  ///< all of them
    std::vector<std::size_t> allowed_;     ///< places of those that may be written to
    std::vector<std::size_t> served_;      ///< places of those that have it from an earlier attempt
    contacts::admission admission_;
    mail_template template_;
};

}  // namespace libqueue::processors::email
