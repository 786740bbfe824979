#include "api/acting.hpp"
#include "api/as_result.hpp"
#include "api/job_sealing.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "engine/handler_sql.hpp"
#include "pg/connection.hpp"
#include "pg/schema_name.hpp"
#include "store/job_store.hpp"
#include "store/new_job_check.hpp"

#include <libqueue/client.hpp>
#include <libqueue/client_transaction.hpp>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

namespace libqueue {
namespace {

/// What may be done once more after the connection was lost.
enum class repeat {
    if_nothing_happened,  ///< writes: only when the server surely committed nothing
    always,               ///< reads
};

/// Connections whose transaction a client_transaction keeps open. Such a one is used even when it
/// is lost, because a new one would do outside of the transaction what belongs in it.
class held_connections {
   public:
    void add(const pg::connection& one) {
        const std::lock_guard lock{mutex_};
        all_.insert(&one);
    }
    void remove(const pg::connection& one) {
        const std::lock_guard lock{mutex_};
        all_.erase(&one);
    }
    [[nodiscard]] bool contains(const pg::connection& one) {
        const std::lock_guard lock{mutex_};
        return all_.contains(&one);
    }

   private:
    std::mutex mutex_;
    std::set<const pg::connection*> all_;
};

[[nodiscard]] held_connections& held() {
    static held_connections all;
    return all;
}

[[nodiscard]] bool is_final(job_state state) noexcept {
    switch (state) {
        case job_state::completed:
        case job_state::cancelled:
        case job_state::dead:
            return true;
        case job_state::scheduled:
        case job_state::ready:
        case job_state::running:
        case job_state::retrying:
            return false;
    }
    return false;
}

[[nodiscard]] error no_such_job(job_id id) {
    return error{errc::not_found, "no job " + std::to_string(id)};
}

}  // namespace

class client::impl {
   public:
    explicit impl(client_options options) : options_{std::move(options)} {
        pg::check_schema_name(options_.schema).value();
        api::check_sealing(options_);
    }

    [[nodiscard]] const client_options& options() const noexcept { return options_; }

    [[nodiscard]] const std::string& schema() const noexcept { return options_.schema; }

    [[nodiscard]] pg::connection& connection() {
        if (connection_ && (!connection_->broken() || held().contains(*connection_))) {
            return *connection_;
        }
        connection_.reset();
        connection_ = std::make_unique<pg::connection>(options_.dsn, options_.application_name,
                                                       options_.connect_timeout);
        if (options_.statement_timeout.count() > 0) {
            refuse_pooler();
            connection_->exec("SET statement_timeout = " +
                              std::to_string(options_.statement_timeout.count()));
        }
        connection_->set_prologue(prologue_);
        return *connection_;
    }

    void act(std::optional<principal> who, std::string prologue) {
        acting_ = std::move(who);
        prologue_ = std::move(prologue);
        if (connection_) {
            connection_->set_prologue(prologue_);
        }
    }

    /// What a principal with a tenant enqueues is the tenant's; said here and not only by the
    /// database, because a payload is sealed for the tenant. Empty: as they are.
    [[nodiscard]] std::vector<new_job> of_tenant(std::span<const new_job> jobs) const {
        if (!acting_ || !acting_->tenant_id) {
            return {};
        }
        std::vector<new_job> own{jobs.begin(), jobs.end()};
        for (new_job& one : own) {
            one.tenant_id = one.tenant_id ? one.tenant_id : acting_->tenant_id;
        }
        return own;
    }

    [[nodiscard]] const std::optional<principal>& acting() const noexcept { return acting_; }

    /// Runs `work` on the connection. A connection found to be lost is replaced once, and what lost
    /// against another transaction (two batches that take the same idempotency keys in different
    /// orders deadlock) is said again; what may have been committed is never repeated.
    template <typename Work>
    auto run(repeat when, Work work) {
        return api::as_result([&] {
            constexpr int conflicts_max = 5;
            int conflicts = 0;
            bool replaced = !connection_ || connection_->broken();
            while (true) {
                try {
                    return work(connection());
                } catch (const failure& what) {
                    const bool conflict = what.sqlstate() == "40P01" || what.sqlstate() == "40001";
                    const bool lost = what.poisons_connection() && !replaced;
                    const bool safe = when == repeat::always || !what.outcome_unknown();
                    if (!safe || !(lost || (conflict && ++conflicts <= conflicts_max))) {
                        throw;
                    }
                    replaced = replaced || lost;
                    if (conflict) {
                        // The other goes on with what this one has let go of; starting again at
                        // once would only take it away and deadlock anew.
                        std::this_thread::sleep_for(std::chrono::milliseconds{50} * conflicts);
                    }
                }
            }
        });
    }

   private:
    void refuse_pooler() {
        if (connection_->pooled()) {
            connection_.reset();
            // A SET would stay behind in a session that others get next.
            throw domain_failure{
                error{errc::invalid_argument,
                      "statement_timeout: expected a direct connection, got a pooler",
                      "Set it on the role: ALTER ROLE ... SET statement_timeout."}};
        }
    }

    client_options options_;
    std::optional<principal> acting_;
    std::string prologue_;
    std::unique_ptr<pg::connection> connection_;
};

client::client(client_options options) : impl_{std::make_unique<impl>(std::move(options))} {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

result<enqueued> client::enqueue(const new_job& given) {
    const auto own = impl_->of_tenant({&given, 1});
    const new_job& job = own.empty() ? given : own.front();
    if (auto valid = store::check_new_job(job); valid.has_error()) {
        return valid.error();
    }
    return impl_->run(repeat::if_nothing_happened, [&](pg::connection& on) {
        const auto sealed = api::sealed_jobs(impl_->options(), on, {&job, 1});
        on.pass(pg::failpoint::enqueue_before_commit);
        enqueued made = store::enqueue(on, schema(), sealed ? sealed->front() : job);
        on.pass(pg::failpoint::enqueue_after_commit);
        api::open_output(impl_->options(), job, made);
        return made;
    });
}

result<std::vector<job_id>> client::enqueue_many(std::span<const new_job> asked) {
    const auto own = impl_->of_tenant(asked);
    const std::span<const new_job> given = own.empty() ? asked : std::span<const new_job>{own};
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (auto valid = store::check_new_job(given[i]); valid.has_error()) {
            error why = valid.error();
            why.message.insert(0, "job " + std::to_string(i) + ": ");
            return why;
        }
    }
    return impl_->run(repeat::if_nothing_happened, [&](pg::connection& on) {
        const auto sealed = api::sealed_jobs(impl_->options(), on, given);
        const std::span<const new_job> jobs = sealed ? std::span<const new_job>{*sealed} : given;
        const std::vector<store::job_group> groups = store::group_jobs(jobs);
        std::vector<job_id> ids(jobs.size());
        if (groups.size() == 1) {
            // One statement is a transaction of its own, two round trips cheaper.
            on.pass(pg::failpoint::enqueue_before_commit);
            store::enqueue_group(on, schema(), jobs, groups.front(), ids);
        } else if (!groups.empty()) {
            pg::transaction work{on};
            for (const store::job_group& group : groups) {
                store::enqueue_group(on, schema(), jobs, group, ids);
            }
            on.pass(pg::failpoint::enqueue_before_commit);
            work.commit();
        }
        on.pass(pg::failpoint::enqueue_after_commit);
        return ids;
    });
}

result<job_info> client::get(job_id id) {
    auto found = impl_->run(repeat::always,
                            [&](pg::connection& on) { return store::find_job(on, schema(), id); });
    if (found.has_error()) {
        return found.error();
    }
    if (!*found) {
        return no_such_job(id);
    }
    api::open_what_is_sealed(impl_->options(), **found);
    return std::move(**found);
}

result<job_info> client::wait(job_id id, std::chrono::milliseconds at_most) {
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds shortest{5};
    constexpr std::chrono::milliseconds longest{250};
    // Years from now is for ever; adding more would overflow the clock.
    const auto deadline =
        clock::now() + std::min<std::chrono::milliseconds>(at_most, limits::delay_max);
    std::chrono::milliseconds pause = shortest;
    while (true) {
        auto found = get(id);
        const auto left = deadline - clock::now();
        if (found.has_error() || is_final(found->state) || left <= clock::duration::zero()) {
            return found;
        }
        std::this_thread::sleep_for(std::min<clock::duration>(pause, left));
        pause = std::min(pause * 2, longest);
    }
}

result<bool> client::cancel(job_id id, std::string_view reason) {
    const std::string note = core::storable_text(reason, limits::note_bytes);
    return impl_->run(repeat::if_nothing_happened, [&](pg::connection& on) {
        return store::cancel_job(on, schema(), id, note);
    });
}

result<void> client::retry(job_id id) {
    return impl_->run(repeat::if_nothing_happened,
                      [&](pg::connection& on) { store::retry_job(on, schema(), id); });
}

result<void> client::act_as(const principal& who, std::chrono::milliseconds at_most) {
    if (auto valid = api::check_principal(who); valid.has_error()) {
        return valid;
    }
    impl_->act(who, api::acting_prologue(who, at_most, schema()));
    return {};
}

void client::act_as_self() noexcept {
    impl_->act(std::nullopt, {});
}

const std::optional<principal>& client::acting_as() const noexcept {
    return impl_->acting();
}

result<rows> client::query(const statement& asked) {
    return impl_->run(repeat::always, [&](pg::connection& on) {
        return engine::rows_of(api::exec_statement(on, schema(), asked));
    });
}

result<rows> client::query_audited(std::string_view action, std::string_view target,
                                   std::string_view detail, const statement& asked) {
    return impl_->run(repeat::if_nothing_happened, [&](pg::connection& on) {
        return engine::rows_of(api::exec_audited(on, schema(), {action, target, detail}, asked));
    });
}

pg::connection& client::connection() {
    return impl_->connection();
}

const std::string& client::schema() const noexcept {
    return impl_->schema();
}

const std::shared_ptr<const keyring>& client::keys() const noexcept {
    return impl_->options().keyring;
}

class client_transaction::impl {
   public:
    explicit impl(pg::connection& on) : work{on}, on_{on} { held().add(on_); }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() { held().remove(on_); }

    pg::transaction work;

   private:
    pg::connection& on_;
};

client_transaction::client_transaction(client& on) {
    try {
        impl_ = std::make_unique<impl>(on.connection());
        return;
    } catch (const failure& what) {
        if (!what.poisons_connection()) {
            throw;
        }
    }
    // It was lost before anything happened.
    impl_ = std::make_unique<impl>(on.connection());
}

client_transaction::~client_transaction() = default;

void client_transaction::commit() {
    impl_->work.commit();
}

}  // namespace libqueue
