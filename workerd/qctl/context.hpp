#pragma once

#include "console.hpp"
#include "invocation.hpp"
#include "render.hpp"
#include "server/any_access.hpp"
#include "server/any_bulk.hpp"
#include "server/any_control.hpp"
#include "server/any_jobs.hpp"
#include "server/any_operations.hpp"
#include "server/any_overview.hpp"
#include "server/any_processors.hpp"
#include "settings.hpp"

#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace qctl {

class api_client;

/// What a verb works with: its command line, the database or the API server (connected at first
/// use) and the output.
class context {
   public:
    context(const invocation& call_, const settings& options_);
    ~context();
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    const invocation& call;
    const settings& options;
    console notes;

    /// The database itself. Throws `stop` (usage) when a server was named instead.
    [[nodiscard]] libqueue::client& client();
    /// Null when the database is asked directly.
    [[nodiscard]] api_client* server();
    /// Of whichever of the two.
    [[nodiscard]] any_jobs jobs() { return any_jobs{*this}; }
    [[nodiscard]] any_records records() { return any_records{*this}; }
    [[nodiscard]] any_operations operations() { return any_operations{*this}; }
    [[nodiscard]] any_batches batches() { return any_batches{*this}; }
    [[nodiscard]] any_topics topics() { return any_topics{*this}; }
    [[nodiscard]] any_schedules schedules() { return any_schedules{*this}; }
    [[nodiscard]] any_limits limits() { return any_limits{*this}; }
    [[nodiscard]] any_overview overview() { return any_overview{*this}; }
    [[nodiscard]] any_bulk bulk() { return any_bulk{*this}; }
    [[nodiscard]] any_access access() { return any_access{*this}; }
    [[nodiscard]] any_processors processors() { return any_processors{*this}; }

    /// How long a verb that waits may take.
    [[nodiscard]] std::chrono::milliseconds waiting_time(
        std::chrono::milliseconds otherwise) const {
        return options.timeout.value_or(otherwise);
    }

    [[nodiscard]] list_renderer renderer() const { return list_renderer{how()}; }
    void print_list(const libqueue::report& rows) const;
    void print_object(const libqueue::report& one) const;
    /// What a verb did: a sentence for people, the row for programs.
    void print_result(const std::string& sentence, const libqueue::report& row) const;

   private:
    [[nodiscard]] view how() const;
    void drop_default_timeout(libqueue::client_options wanted);

    std::optional<libqueue::client> client_;
    std::unique_ptr<api_client> server_;
};

/// What a verb ends with that the API does not offer: exit 2, and what to do instead.
[[nodiscard]] stop needs_database(const invocation& call, const std::string& why);

/// What --debug prints: the operation, without payloads and passwords.
[[nodiscard]] std::string operation_text(const invocation& call, const settings& options);

}  // namespace qctl
