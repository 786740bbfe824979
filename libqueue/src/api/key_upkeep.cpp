#include "api/acting.hpp"
#include "api/as_result.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/reseal_store.hpp"

#include <libqueue/key_upkeep.hpp>

#include <limits>
#include <utility>
#include <vector>

namespace libqueue {
namespace {

using store::sealed_source;
using store::sealed_text;

/// The texts that could be sealed anew, so sealed; counts both kinds.
std::vector<sealed_text> resealed(const keyring& keys, std::vector<sealed_text> texts,
                                  reseal_counts& counts) {
    std::vector<sealed_text> done;
    for (sealed_text& each : texts) {
        const bool was_sealed = is_sealed(each.text);
        const auto key = keys.sealing_key(each.owner.tenant_id);
        if (was_sealed && key.has_value() && sealed_key_id(each.text) == *key) {
            continue;
        }
        auto fresh =
            was_sealed ? keys.reseal(each.owner, each.text) : keys.seal(each.owner, each.text);
        if (fresh.has_error()) {
            ++counts.unreadable;
            continue;
        }
        ++counts.sealed;
        each.text = std::move(*fresh);
        done.push_back(std::move(each));
    }
    return done;
}

reseal_counts reseal_step(const store::session& with, const keyring& keys,
                          const store::reseal_span& span, bool dry_run) {
    reseal_counts counts;
    pg::transaction work{with.on};
    for (const auto where :
         {sealed_source::jobs, sealed_source::outputs, sealed_source::dead_letters,
          sealed_source::archived_jobs, sealed_source::archived_outputs, sealed_source::checkpoints,
          sealed_source::effects}) {
        const auto done = resealed(keys, store::find_to_reseal(with, where, span), counts);
        if (!done.empty() && !dry_run) {
            store::put_resealed(with, where, done);
        }
    }
    if (counts.sealed > 0 && !dry_run) {
        api::record_action(
            with.on, with.schema,
            {"keys.reseal", "", "{\"count\": " + std::to_string(counts.sealed) + "}"});
    }
    work.commit();
    return counts;
}

}  // namespace

report key_upkeep::usage() {
    return api::on_connection(client_, [](const store::session& with) {
        return api::make_report(store::key_usage(with));
    });
}

result<reseal_counts> key_upkeep::reseal(const keyring& keys, const reseal_options& options,
                                         const progress_callback& progress) {
    return api::as_result([&] {
        reseal_counts all;
        store::reseal_span span;
        span.from = options.from;
        span.active = keys.sealing_key(std::nullopt).value();
        constexpr auto end = std::numeric_limits<std::int64_t>::max();
        while (span.up_to != end) {
            span.after = span.up_to;
            const reseal_counts step = api::on_connection(client_, [&](const store::session& with) {
                // The last one goes on to the end of all ids: dead letters may outlive their job.
                span.up_to = store::next_reseal_span(with, span.after).value_or(end);
                return reseal_step(with, keys, span, options.dry_run);
            });
            all.sealed += step.sealed;
            all.unreadable += step.unreadable;
            if (progress && !progress(all.sealed, 0)) {
                break;
            }
        }
        return all;
    });
}

}  // namespace libqueue
