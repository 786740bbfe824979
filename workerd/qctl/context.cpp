#include "context.hpp"

#include "faults.hpp"
#include "help.hpp"
#include "server/api_client.hpp"
#include "unwrapped.hpp"

#include <libqueue/duration.hpp>
#include <libqueue/encryption.hpp>
#include <libqueue/statement.hpp>
#include <sql/qctl_own_tenant.hpp>

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace qctl {

namespace {

constexpr std::chrono::milliseconds default_statement_timeout{10'000};
constexpr std::chrono::milliseconds longest_connect_timeout{10'000};

bool waits(verb id) noexcept {
    return id == verb::jobs_wait || id == verb::queues_drain;
}

// The flag beats the connection string, which beats the default. A verb that waits has its own use
// of the flag.
std::chrono::milliseconds statement_timeout(const invocation& call, const settings& options) {
    if (options.timeout && !waits(call.leaf->id) && !call.has("wait") && !call.has("follow")) {
        return *options.timeout;
    }
    const bool long_reader =
        call.leaf->id == verb::keys_usage || call.leaf->id == verb::keys_reseal;
    if (call.leaf->id == verb::maintain || long_reader) {
        return std::chrono::milliseconds{0};
    }
    return options.dsn.find("statement_timeout") == std::string::npos
               ? default_statement_timeout
               : std::chrono::milliseconds{0};
}

// With --keyring: what is enqueued is sealed, what is shown is opened.
void use_keys(const invocation& call, libqueue::client_options& wanted) {
    const auto directory = call.text("keyring");
    if (!directory) {
        return;
    }
    libqueue::keyring_options where{*directory};
    where.per_tenant = call.has("per-tenant");
    auto loaded = libqueue::keyring::load(std::move(where));
    if (!loaded) {
        throw to_stop(loaded.error());
    }
    wanted.keyring = std::move(*loaded);
    if (call.leaf->id == verb::enqueue) {
        if (call.arguments.empty()) {
            throw usage("--keyring: expected KIND beside it, got nothing");
        }
        wanted.encrypted_kinds = {call.arguments[0]};
    }
}

/// What it changes is recorded. Producing is not an operator's action, nor is reading.
bool acts(const command& leaf) noexcept {
    return leaf.risk != danger::none && leaf.id != verb::enqueue && leaf.id != verb::roles_install;
}

/// Whoever has the database's connection string may do everything; the audit still wants a name.
libqueue::principal acting_person() {
    constexpr std::size_t name_bytes{64};
    std::array<char, 256> host{};
    static_cast<void>(::gethostname(host.data(), host.size() - 1));
    const auto* const entry = ::getpwuid(::getuid());
    const std::string user = entry != nullptr ? entry->pw_name : std::to_string(::getuid());
    return libqueue::principal{
        "qctl:" + user.substr(0, name_bytes) + "@" + std::string{host.data()}.substr(0, name_bytes),
        libqueue::role::admin};
}

/// A login that is kept to a tenant (`ALTER ROLE … SET queue.tenant`) stays so, whatever it does.
std::optional<std::string> tenant_of_session(libqueue::client& client) {
    const auto found =
        client.query(libqueue::statement{std::string{libqueue::sql::qctl_own_tenant}}).value();
    return found.empty() ? std::nullopt : found.value(0, 0);
}

}  // namespace

context::context(const invocation& call_, const settings& options_)
    : call{call_}, options{options_}, notes{options_} {}

context::~context() = default;

api_client* context::server() {
    if (options.server.empty()) {
        return nullptr;
    }
    if (server_ == nullptr) {
        server_ = std::make_unique<api_client>(
            options, [this](const std::string& line) { notes.debug(line); });
        notes.detail("server " + server_->url());
    }
    return server_.get();
}

libqueue::client& context::client() {
    if (!options.server.empty()) {
        throw needs_database(call, "the API of a server does not offer it");
    }
    if (!client_) {
        libqueue::client_options wanted{options.dsn};
        wanted.schema = options.schema;
        wanted.application_name = "qctl";
        use_keys(call, wanted);
        wanted.statement_timeout = statement_timeout(call, options);
        // libpq counts whole seconds and takes 0 for "for ever".
        wanted.connect_timeout =
            std::clamp(options.timeout.value_or(longest_connect_timeout),
                       std::chrono::milliseconds{1'000}, longest_connect_timeout);
        notes.detail("database " +
                     (options.dsn.empty() ? std::string{"of PG*"} : masked_dsn(options.dsn)) +
                     ", schema " + options.schema);
        client_.emplace(wanted);
        if (!options.timeout) {
            drop_default_timeout(std::move(wanted));
        }
        if (acts(*call.leaf)) {
            auto person = acting_person();
            person.tenant_id = tenant_of_session(*client_);
            demand_done(client_->act_as(person));
        }
    }
    return *client_;
}

/// Behind a pooler the library refuses to set a timeout; one that nobody asked for may go.
void context::drop_default_timeout(libqueue::client_options wanted) {
    try {
        static_cast<void>(client_->connection());
    } catch (const libqueue::domain_failure& refused) {
        notes.detail(refused.why().message + "; going on without the default timeout");
        wanted.statement_timeout = std::chrono::milliseconds{0};
        client_.emplace(std::move(wanted));
    }
}

view context::how() const {
    view result;
    result.format = options.format;
    result.columns = options.columns;
    result.default_columns = call.leaf->columns;
    result.headers = options.headers;
    result.color = options.color_out;
    result.for_people = options.for_people();
    result.width = options.width;
    result.zone = options.zone;
    result.now = system_now();
    return result;
}

void context::print_list(const libqueue::report& rows) const {
    auto to = renderer();
    write_output(to.add(rows));
    write_output(to.finish());
}

void context::print_object(const libqueue::report& one) const {
    write_output(render_object(one, how()));
}

void context::print_result(const std::string& sentence, const libqueue::report& row) const {
    if (options.format == output_format::table || options.format == output_format::wide) {
        write_output(sentence + '\n');
    } else {
        print_object(row);
    }
}

stop needs_database(const invocation& call, const std::string& why) {
    return stop{
        exit_code::usage, "needs_database",
        command_title(*call.leaf) + ": expected a database to work on, got a server: " + why,
        "pass --db DSN or a context with db"};
}

std::string operation_text(const invocation& call, const settings& options) {
    const command& leaf = *call.leaf;
    std::string text = leaf.group.empty() ? "" : std::string{leaf.group} + " ";
    text += leaf.name;
    const auto sized = [](const std::string& value) {
        return "(" + std::to_string(value.size()) + " bytes)";
    };
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        const bool payload = leaf.id == verb::enqueue && i == 1;
        text += ' ' + (payload ? sized(call.arguments[i]) : call.arguments[i]);
    }
    for (const auto& [name, value] : call.flags) {
        const bool hidden = name == "edit" || name == "meta" || name == "data" || name == "set";
        if (name != "db" && name != "debug") {
            text += " --" + name;
            text += value.empty() || value == "true" ? "" : "=" + (hidden ? sized(value) : value);
        }
    }
    if (!options.server.empty()) {
        return text + "; server " + options.server;
    }
    text += "; database " +
            (options.dsn.empty() ? std::string{"of PG*"} : masked_dsn(options.dsn)) + ", schema " +
            options.schema + ", statement timeout " +
            libqueue::format_duration(statement_timeout(call, options));
    return text;
}

}  // namespace qctl
