#pragma once

#include "processors/mint/options.hpp"
#include "processors/mint/rpc.hpp"
#include "processors/support/run_view.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace libqueue::processors::mint {

/// The name metadata is kept under: `<SHA-256 of it in hexadecimal>.json`. The same text has the
/// same name, so putting it twice is putting it once, and whoever reads it can check it.
[[nodiscard]] std::string metadata_name(const std::string& metadata);

/// PUTs the text at `options.metadata_url` + its name. That it is there already (409, 412) is fine.
/// `refused`: the gateway will not take it; else the faults of a request.
[[nodiscard]] boost::asio::awaitable<rpc_fault> upload_metadata(const options& with,
                                                                const run_view& run,
                                                                std::string metadata);

}  // namespace libqueue::processors::mint
