#pragma once

#include "logging/logger.hpp"
#include "observe/http_sender.hpp"
#include "observe/notifier.hpp"
#include "observe/options.hpp"
#include "processors/email/delivery.hpp"
#include "processors/sms/options.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace workerd::observe {

/// Sends notices of alerts, straight and not as jobs: what tells of a queue that stands still must
/// not stand in it. Different channels at the same time, one channel from one thread. What a
/// channel does not take is offered again at the next look.
class channels {
   public:
    /// `mail` and `sms`: what the processors were set up with; empty: no such channel.
    channels(const channel_options& given, std::optional<libqueue::processors::email::options> mail,
             std::optional<libqueue::processors::sms::options> sms, logger& log);

    /// Whether the channel took it: log, mail, webhook, slack, pagerduty, sms or call.
    [[nodiscard]] bool tell(const notice& what, const std::string& channel);

   private:
    [[nodiscard]] bool tell_log(const notice& what);
    [[nodiscard]] bool tell_mail(const notice& what);
    [[nodiscard]] bool tell_webhook(const notice& what);
    [[nodiscard]] bool tell_slack(const notice& what);
    [[nodiscard]] bool tell_pagerduty(const notice& what);
    [[nodiscard]] bool tell_phones(const notice& what, bool call);
    [[nodiscard]] bool post(const std::string& channel, libqueue::processors::http_request request);
    [[nodiscard]] bool send(const std::string& channel,
                            const libqueue::processors::http_request& request);

    const channel_options given_;
    std::unique_ptr<libqueue::processors::email::sender> mail_;
    std::optional<libqueue::processors::sms::options> sms_;
    logger& log_;
    std::map<std::string, std::unique_ptr<http_sender>> senders_;  // one of each channel
};

}  // namespace workerd::observe
