#pragma once

#include "console.hpp"
#include "invocation.hpp"
#include "render.hpp"
#include "settings.hpp"

#include <libqueue/batches.hpp>
#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/schedules.hpp>
#include <libqueue/topics.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace qctl {

/// What a verb works with: its command line, the database (connected at first use) and the output.
class context {
   public:
    context(const invocation& call_, const settings& options_);

    const invocation& call;
    const settings& options;
    console notes;

    [[nodiscard]] libqueue::client& client();
    [[nodiscard]] libqueue::operations operations() { return libqueue::operations{client()}; }
    [[nodiscard]] libqueue::batches batches() { return libqueue::batches{client()}; }
    [[nodiscard]] libqueue::topics topics() { return libqueue::topics{client()}; }
    [[nodiscard]] libqueue::schedules schedules() { return libqueue::schedules{client()}; }

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
};

/// What --debug prints: the operation, without payloads and passwords.
[[nodiscard]] std::string operation_text(const invocation& call, const settings& options);

}  // namespace qctl
