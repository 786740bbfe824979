#pragma once

#include <libqueue/operations.hpp>
#include <libqueue/statement.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

class context;

/// An endpoint to be made.
class wanted_endpoint {
   public:
    std::optional<std::string> tenant;  ///< none: of the installation
    std::string url;
    std::vector<std::string> events;  ///< patterns
    bool ordered = false;
    std::optional<std::string> description;
};

/// What a template is to be made of.
class wanted_preview {
   public:
    explicit wanted_preview(std::string name_) : name{std::move(name_)} {}
    std::string name;
    std::optional<std::string> tenant;  ///< none: those of the installation
    std::optional<std::string> locale;
    std::optional<std::string> zone;
    std::optional<std::int64_t> version;  ///< none: the active one
    std::string variables{"{}"};          ///< a JSON object
};

/// What belongs to processors and not to the engine: tables of schemas that are there only where
/// the processor is used (else `not_found`). Of the database or of a server; see any_jobs.hpp.
class any_processors {
   public:
    explicit any_processors(context& with) noexcept : with_{with} {}

    using text = std::optional<std::string>;
    using number = std::optional<std::int64_t>;
    [[nodiscard]] libqueue::result<libqueue::report> endpoints(const text& tenant, number after,
                                                               int limit);
    /// One row.
    [[nodiscard]] libqueue::result<libqueue::report> endpoint(std::int64_t id);
    /// One row: id.
    [[nodiscard]] libqueue::result<libqueue::report> create_endpoint(const wanted_endpoint& wanted);
    [[nodiscard]] libqueue::result<void> enable_endpoint(std::int64_t id);
    [[nodiscard]] libqueue::result<void> disable_endpoint(std::int64_t id,
                                                          const std::string& reason);
    /// The old secret signs, too, for so long.
    [[nodiscard]] libqueue::result<void> rotate_endpoint(std::int64_t id,
                                                         std::chrono::seconds overlap);
    [[nodiscard]] libqueue::result<void> remove_endpoint(std::int64_t id);
    [[nodiscard]] libqueue::result<libqueue::report> deliveries(number endpoint,
                                                                const text& outcome,
                                                                const text& tenant, int limit);
    /// The job that delivers it.
    [[nodiscard]] libqueue::result<libqueue::report> replay(const std::string& event,
                                                            std::int64_t endpoint);
    [[nodiscard]] libqueue::result<libqueue::report> templates(const text& name, const text& status,
                                                               const text& tenant, int limit);
    /// One row: name, locale, version, category, subject, html, text.
    [[nodiscard]] libqueue::result<libqueue::report> preview(const wanted_preview& wanted);

    /// Of the database alone. `what` is the processor, for the error when it is not installed. What
    /// changes something writes itself into the audit.
    [[nodiscard]] libqueue::result<libqueue::report> ask(const char* what,
                                                         const libqueue::statement& asked);

   private:
    /// Whosever it is. The function it calls writes itself into the audit.
    [[nodiscard]] libqueue::result<void> changed(std::string_view sql, std::int64_t id,
                                                 const text& more = {});

    context& with_;
};

}  // namespace qctl
