#pragma once

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <string>

namespace workerd::api {

/// The JSON of GET /overview and of the stream's event of that name: queues, operations under way
/// and, for who is not kept to one tenant, database and workers. `database` acts as `who` already.
[[nodiscard]] std::string overview_document(libqueue::client& database,
                                            const libqueue::principal& who);

}  // namespace workerd::api
