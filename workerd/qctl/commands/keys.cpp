#include "commands/commands.hpp"
#include "faults.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "row_builder.hpp"

#include <libqueue/key_upkeep.hpp>

#include <array>
#include <ctime>
#include <filesystem>
#include <utility>

namespace qctl {

namespace {

void demand_done(const libqueue::result<void>& answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
}

std::shared_ptr<libqueue::keyring> load(const std::string& directory, bool per_tenant) {
    libqueue::keyring_options wanted{directory};
    wanted.per_tenant = per_tenant;
    auto loaded = libqueue::keyring::load(std::move(wanted));
    if (!loaded) {
        throw to_stop(loaded.error());
    }
    return std::move(*loaded);
}

std::string id_of_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    static_cast<void>(std::strftime(text.data(), text.size(), "%Y%m%dt%H%M%Sz", &parts));
    return text.data();
}

std::string lower(std::string uuid) {
    for (char& c : uuid) {
        c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return uuid;
}

// A tenant's first key needs no more of a name than the tenant.
std::string wanted_id(const invocation& call, bool rotates) {
    const auto tenant = call.text("tenant");
    const auto given = call.text("id");
    if (!tenant) {
        return given ? *given : id_of_now();
    }
    const std::string id = "tenant-" + lower(*tenant);
    return given || rotates ? id + "." + given.value_or(id_of_now()) : id;
}

void print_key(context& with, const std::string& id, const std::string& what) {
    row_builder row;
    row.text("id", id).text("result", what);
    with.print_result("key " + printable(id) + ": " + what, row.done());
}

exit_code make_key(context& with, bool rotates) {
    const std::string& directory = with.call.arguments[0];
    const std::string id = wanted_id(with.call, rotates);
    const bool of_tenant = with.call.has("tenant");
    if (with.options.dry_run) {
        print_key(with, id, rotates ? "would be made and seal" : "would be made");
        return exit_code::ok;
    }
    demand_done(libqueue::create_key(directory, id));
    if (rotates && !of_tenant) {
        demand_done(libqueue::activate_key(directory, id));
    }
    print_key(with, id, rotates ? "made; seals once processes have reloaded" : "made");
    flush_output();
    with.notes.note("keep a copy elsewhere: what a lost key has sealed is gone");
    return exit_code::ok;
}

}  // namespace

exit_code run_keys_create(context& with) {
    return make_key(with, false);
}

exit_code run_keys_rotate(context& with) {
    return make_key(with, true);
}

exit_code run_keys_list(context& with) {
    const auto ring = load(with.call.arguments[0], false);
    const auto active = ring->sealing_key(std::nullopt);
    libqueue::report all;
    for (const auto& id : ring->ids()) {
        row_builder row;
        row.text("id", id).boolean("active", active.has_value() && *active == id);
        append_rows(all, row.done());
    }
    with.print_list(all);
    return exit_code::ok;
}

exit_code run_keys_check(context& with) {
    const std::string& directory = with.call.arguments[0];
    const auto ring = load(directory, false);
    const auto active = ring->sealing_key(std::nullopt);
    if (!active) {
        throw to_stop(active.error());
    }
    row_builder row;
    row.text("directory", directory)
        .integer("keys", static_cast<std::int64_t>(ring->ids().size()))
        .text("active", *active)
        .boolean("locked", ring->locked());
    with.print_result(std::to_string(ring->ids().size()) + " keys are fit for use, " +
                          printable(*active) + " seals",
                      row.done());
    flush_output();
    if (!ring->locked()) {
        with.notes.warn("keys cannot be locked into memory (ulimit -l); they may reach swap");
    }
    return exit_code::ok;
}

exit_code run_keys_usage(context& with) {
    with.print_list(libqueue::key_upkeep{with.client()}.usage());
    return exit_code::ok;
}

exit_code run_keys_reseal(context& with) {
    const auto ring = load(with.call.arguments[0], with.call.has("per-tenant"));
    libqueue::reseal_options wanted;
    wanted.from = with.call.text("from");
    wanted.dry_run = with.options.dry_run;
    const interrupt_guard guard;
    const auto done = libqueue::key_upkeep{with.client()}.reseal(
        *ring, wanted, [](std::int64_t, std::int64_t) { return !interrupted(); });
    if (!done) {
        throw to_stop(done.error());
    }
    row_builder row;
    row.integer("sealed", done->sealed)
        .integer("unreadable", done->unreadable)
        .boolean("dry_run", wanted.dry_run);
    with.print_result((wanted.dry_run ? "would have sealed " : "sealed ") +
                          std::to_string(done->sealed) + " texts anew",
                      row.done());
    flush_output();
    if (interrupted()) {
        throw stop{exit_code::interrupted, "interrupted", "interrupted",
                   "the same command goes on with the rest"};
    }
    if (done->unreadable > 0) {
        throw stop{exit_code::partly_done, "unreadable",
                   std::to_string(done->unreadable) + " texts could not be opened",
                   "their keys are not in the directory, or they were changed"};
    }
    return exit_code::ok;
}

}  // namespace qctl
