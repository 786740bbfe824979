#include "reload.hpp"

#include "auth/jwt_setup.hpp"
#include "config/diff.hpp"

#include <string>
#include <utility>

namespace workerd {

namespace {

void report_faults(const config_result& result, logger& log) {
    for (const auto& fault : result.faults) {
        const bool is_fault = fault.level == severity::fault;
        log.write(is_fault ? log_level::error : log_level::warn, "config_fault",
                  "the configuration has a fault",
                  std::vector<log_field>{{"fault", to_text(fault)}});
    }
}

void apply(const config& fresh, const setting_change& change, config& current,
           libqueue::worker& worker, logger& log) {
    const auto& entry = fresh.settings.at(change.path);
    entry.row->bind(current, entry.name, entry.value);
    current.settings[change.path] = entry;
    if (change.path == "log.level")
        log.set_level(parse_log_level(fresh.log.level).value_or(log_level::info));
    else if (change.path == "log.redact")
        log.set_redacted_keys(fresh.log.redact);
    else if (entry.row->path == "queues.*.concurrency")
        static_cast<void>(worker.set_concurrency(entry.name, static_cast<int>(entry.value.number)));
}

// The file was found fit, its keys included; they are read once more into the ring that is in use.
bool reload_keys(const config& current, logger& log) {
    const auto& ring = current.encryption.ring;
    if (ring == nullptr)
        return true;
    if (const auto done = ring->reload(); done.has_error()) {
        log.error("keys_refused", "the keys were not reloaded; the old ones stay in use",
                  {{"err.msg", done.error().message}, {"hint", done.error().hint}});
        return false;
    }
    const auto active = ring->sealing_key(std::nullopt);
    log.info("keys_reloaded", "the keys were read again",
             {{"keys", ring->ids().size()}, {"active", active.has_value() ? *active : "none"}});
    return true;
}

// Keys come and go with their settings, all of them at once: a part of them would verify nothing.
void take_jwt_settings(const config& fresh, config& current) {
    const auto is_jwt = [](const auto& each) {
        return is_jwt_setting(each.first);
    };
    std::erase_if(current.settings, is_jwt);
    for (const auto& each : fresh.settings) {
        if (is_jwt(each))
            current.settings.insert(each);
    }
    current.http.auth.jwt = fresh.http.auth.jwt;
}

}  // namespace

bool reload_config(const config_sources& sources, config& current, libqueue::worker& worker,
                   std::shared_ptr<const api::jwt_verifier>& jwt, logger& log) {
    auto result = load_config(sources);
    std::shared_ptr<const api::jwt_verifier> fresh_jwt;
    if (result.is_usable())
        fresh_jwt = api::make_jwt_verifier(result.value, result.faults);
    report_faults(result, log);
    if (!result.is_usable()) {
        log.error("config_refused",
                  "the configuration was not reloaded; the old one stays in force",
                  {{"faults", result.faults.size()}});
        return false;
    }
    std::size_t applied = 0;
    std::size_t waiting = 0;
    for (const auto& change : diff_settings(current.settings, result.value.settings)) {
        // An optional setting that went away has no value to apply.
        const bool is_jwt = is_jwt_setting(change.path);
        const bool applies =
            is_jwt || (change.reloadable && result.value.settings.contains(change.path));
        if (applies && !is_jwt)
            apply(result.value, change, current, worker, log);
        ++(applies ? applied : waiting);
        log.write(
            applies ? log_level::info : log_level::warn,
            applies ? "config_changed" : "config_needs_restart",
            applies ? "a setting changed" : "a setting takes effect at the next restart only",
            std::vector<log_field>{
                {"setting", change.path}, {"before", change.before}, {"after", change.after}});
    }
    take_jwt_settings(result.value, current);
    jwt = std::move(fresh_jwt);
    if (jwt)
        log.info("jwt_keys_reloaded", "the keys of JWTs were read again",
                 {{"keys", current.http.auth.jwt.keys.size()}});
    log.info("config_reloaded", "the configuration was read again",
             {{"applied", applied}, {"need_restart", waiting}});
    return reload_keys(current, log);
}

}  // namespace workerd
