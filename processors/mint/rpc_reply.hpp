#pragma once

#include "processors/mint/rpc.hpp"

#include <string>

namespace libqueue::processors::mint {

/// What an answer to a JSON-RPC request means; `what` names the request in texts. Of the node's own
/// error text nothing is passed on: it may repeat what was sent. Pure.
[[nodiscard]] rpc_answer<boost::json::value> read_reply(const http_response& response,
                                                        const std::string& what,
                                                        std::chrono::system_clock::time_point now);

}  // namespace libqueue::processors::mint
