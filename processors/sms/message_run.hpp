#pragma once

#include "processors/sms/options.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace libqueue::processors::sms {

/// One run of `sms.send`. The context must stay until it ends, as it does for a handler.
[[nodiscard]] boost::asio::awaitable<outcome> send_message(std::shared_ptr<const options> with,
                                                           job_context& context);
/// A run that must find out what became of an earlier one; under `look_up` only.
[[nodiscard]] boost::asio::awaitable<outcome> find_message(std::shared_ptr<const options> with,
                                                           job_context& context);

}  // namespace libqueue::processors::sms
