#include "processors/support/follow_ups.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/trace_state.hpp"

#include <libqueue/job.hpp>
#include <libqueue/statement.hpp>
#include <sql/enqueue_follow_up.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace libqueue::processors {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

constexpr std::size_t entries_most{100};

/// One entry of `then`.
class follow_up {
   public:
    explicit follow_up(new_job job_) : job{std::move(job_)} {}
    new_job job;
    json::object payload;
    /// Where in the payload goes what of the output: members, with dots between them. An empty one
    /// is the whole.
    std::vector<std::pair<std::string, std::string>> with_output;
};

bool may_have(const libqueue::job& job) {
    return job.payload.find("\"then\"") != std::string::npos;
}

std::string text_of(const json::string& text) {
    return {text.data(), text.size()};
}

/// Reads the members of one entry; what does not fit goes to `faults` with its path.
class entry_reader {
   public:
    entry_reader(const json::object& entry, std::string path, payload_reader& faults)
        : entry_{entry}, path_{std::move(path)}, faults_{faults} {}

    [[nodiscard]] std::optional<std::string> text(std::string_view name) {
        const json::value* const value = find(name);
        if (value == nullptr) {
            return std::nullopt;
        }
        if (!value->is_string()) {
            fault(name, "expected a string");
            return std::nullopt;
        }
        return text_of(value->get_string());
    }
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name, std::int64_t least,
                                                      std::int64_t most) {
        const json::value* const value = find(name);
        if (value == nullptr) {
            return std::nullopt;
        }
        if (!value->is_int64() || value->get_int64() < least || value->get_int64() > most) {
            fault(name, "expected an integer from " + std::to_string(least) + " to " +
                            std::to_string(most));
            return std::nullopt;
        }
        return value->get_int64();
    }
    [[nodiscard]] json::object object(std::string_view name) {
        const json::value* const value = find(name);
        if (value == nullptr || !value->is_object()) {
            fault(name, "expected an object");
            return {};
        }
        return value->get_object();
    }
    /// A text is where all of the output goes, an object says what goes where.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> paths(std::string_view name) {
        std::vector<std::pair<std::string, std::string>> all;
        const json::value* const value = find(name);
        if (value == nullptr) {
            return all;
        }
        if (value->is_string()) {
            all.emplace_back(text_of(value->get_string()), "");
        } else if (value->is_object()) {
            for (const auto& member : value->get_object()) {
                if (!member.value().is_string()) {
                    fault(name, "expected texts as its members");
                    return {};
                }
                all.emplace_back(std::string{member.key().data(), member.key().size()},
                                 text_of(member.value().get_string()));
            }
        } else {
            fault(name, "expected a text or an object of texts");
        }
        return all;
    }
    void fault(std::string_view name, const std::string& what) {
        faults_.fault(path_ + "." + std::string{name}, what);
    }

   private:
    [[nodiscard]] const json::value* find(std::string_view name) const {
        const json::value* const value =
            entry_.if_contains(json::string_view{name.data(), name.size()});
        return value == nullptr || value->is_null() ? nullptr : value;
    }
    const json::object& entry_;
    std::string path_;
    payload_reader& faults_;
};

/// The members of a path, from the outermost.
std::vector<std::string> members_of(std::string_view path) {
    std::vector<std::string> members;
    while (!path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        members.emplace_back(path.substr(0, dot));
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return members;
}

/// null where there is no such member.
json::value read_path(const json::value& from, std::string_view path) {
    const json::value* at = &from;
    for (const std::string& member : members_of(path)) {
        at = at->is_object() ? at->get_object().if_contains(member) : nullptr;
        if (at == nullptr) {
            return nullptr;
        }
    }
    return *at;
}

/// Makes the objects on the way; what was there and is none gives way.
void write_path(json::object& into, std::string_view path, json::value what) {
    const std::vector<std::string> members = members_of(path);
    json::object* at = &into;
    for (std::size_t i = 0; i + 1 < members.size(); ++i) {
        json::value& next = (*at)[members[i]];
        if (!next.is_object()) {
            next = json::object{};
        }
        at = &next.get_object();
    }
    if (!members.empty()) {
        (*at)[members.back()] = std::move(what);
    }
}

constexpr std::int64_t day_ms{86'400'000};

follow_up read_entry(const json::object& entry, std::string path, payload_reader& faults) {
    entry_reader from{entry, std::move(path), faults};
    const auto kind = from.text("kind");
    if (!kind) {
        from.fault("kind", "expected a kind");
    }
    follow_up read{new_job{kind.value_or(""), "{}"}};
    read.payload = from.object("payload");
    read.with_output = from.paths("with_output");
    read.job.queue = from.text("queue");
    read.job.idempotency_key = from.text("idempotency_key");
    if (const auto priority = from.integer("priority", -32'768, 32'767)) {
        read.job.priority = static_cast<int>(*priority);
    }
    if (const auto attempts = from.integer("max_attempts", 1, 1'000)) {
        read.job.max_attempts = static_cast<int>(*attempts);
    }
    if (const auto delay = from.integer("delay_ms", 0, 3'650 * day_ms)) {
        read.job.delay = std::chrono::milliseconds{*delay};
    }
    return read;
}

std::vector<follow_up> read_all(payload_reader& faults) {
    std::vector<follow_up> all;
    if (!faults.has("then")) {
        return all;
    }
    boost::system::error_code ec;
    const std::string_view raw = faults.raw("then");
    const json::value then = json::parse(json::string_view{raw.data(), raw.size()}, ec);
    if (ec || !then.is_array() || then.get_array().size() > entries_most) {
        faults.fault("then", "expected an array of at most " + std::to_string(entries_most) +
                                 " follow-up jobs");
        return all;
    }
    for (const json::value& entry : then.get_array()) {
        std::string path = "then[" + std::to_string(all.size()) + "]";
        if (!entry.is_object()) {
            faults.fault(path, "expected an object with kind and payload");
            return all;
        }
        all.push_back(read_entry(entry.get_object(), std::move(path), faults));
    }
    return all;
}

std::optional<std::string> number(const std::optional<int>& value) {
    return value ? std::optional{std::to_string(*value)} : std::nullopt;
}

statement enqueued_after(const job_context& context, const new_job& next) {
    const libqueue::job& before = context.job();
    std::optional<std::string> delay;
    if (next.delay) {
        delay = std::to_string(next.delay->count()) + " microseconds";
    }
    const std::string trace = context.traceparent();
    const std::string state = trace.empty() ? std::string{} : tracestate_in(before.meta);
    return statement{
        std::string{sql::enqueue_follow_up},
        {std::to_string(before.id), next.kind, next.payload, next.queue, number(next.priority),
         next.idempotency_key, number(next.max_attempts), before.tenant_id, std::move(delay),
         trace.empty() ? std::nullopt : std::optional{trace},
         state.empty() ? std::nullopt : std::optional{state}}};
}

/// Of one run: what its payload wants, found before the handler begins.
class wanted {
   public:
    explicit wanted(const job_context& context)
        : reader_{context.payload()}, object_{reader_.ok()}, all_{read_all(reader_)} {}

    /// A payload that is no object has no `then`; what is wrong with it is for the handler to say.
    [[nodiscard]] bool ok() const noexcept { return !object_ || reader_.ok(); }
    [[nodiscard]] const std::string& faults() const noexcept { return reader_.faults(); }
    [[nodiscard]] outcome added_to(outcome said, const job_context& context) {
        if (said.kind() != outcome::type::completed) {
            return said;
        }
        boost::system::error_code ec;
        json::value output = json::parse(said.output().empty() ? "null" : said.output(), ec);
        if (ec) {
            output = json::string{said.output()};
        }
        for (follow_up& each : all_) {
            for (const auto& [to, from] : each.with_output) {
                write_path(each.payload, to, read_path(output, from));
            }
            each.job.payload = json::serialize(each.payload);
            statement enqueued = enqueued_after(context, each.job);
            said = std::move(said).also(std::move(enqueued));
        }
        return said;
    }

   private:
    payload_reader reader_;
    bool object_;
    std::vector<follow_up> all_;
};

awaitable<outcome> run(const coroutine_handler& inner, job_context& context) {
    wanted next{context};
    if (!next.ok()) {
        co_return discard(next.faults());
    }
    auto answer = inner(context);
    outcome said = co_await std::move(answer);
    co_return next.added_to(std::move(said), context);
}

outcome run_blocking(const blocking_handler& inner, job_context& context) {
    wanted next{context};
    return next.ok() ? next.added_to(inner(context), context) : discard(next.faults());
}

/// Those with a fault are not given to the handler.
awaitable<batch_outcome> run_many(const batch_handler& inner, std::vector<job_context*> all) {
    std::vector<std::unique_ptr<wanted>> next;
    std::vector<job_context*> given;
    for (job_context* const each : all) {
        next.push_back(std::make_unique<wanted>(*each));
        if (next.back()->ok()) {
            given.push_back(each);
        }
    }
    batch_outcome inner_said;
    const std::size_t asked = given.size();
    if (asked > 0) {
        auto answer = inner(std::move(given));
        inner_said = co_await std::move(answer);
    }
    if (inner_said.each.size() != asked) {
        co_return inner_said;  // The engine says what is wrong with it.
    }
    batch_outcome said;
    said.also = std::move(inner_said.also);
    std::size_t at = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (next[i]->ok()) {
            outcome one = std::move(inner_said.each[at++]);
            said.each.push_back(next[i]->added_to(std::move(one), *all[i]));
        } else {
            said.each.push_back(discard(next[i]->faults()));
        }
    }
    co_return said;
}

bool any_may_have(const std::vector<job_context*>& all) {
    for (const job_context* const each : all) {
        if (may_have(each->job())) {
            return true;
        }
    }
    return false;
}

// The lambdas are no coroutines: what they capture lives as long as the registration.

coroutine_handler around(coroutine_handler inner) {
    if (!inner) {
        return inner;
    }
    return [inner = std::move(inner)](job_context& context) {
        return may_have(context.job()) ? run(inner, context) : inner(context);
    };
}

blocking_handler around(blocking_handler inner) {
    if (!inner) {
        return inner;
    }
    return [inner = std::move(inner)](job_context& context) {
        return may_have(context.job()) ? run_blocking(inner, context) : inner(context);
    };
}

batch_handler around(batch_handler inner) {
    if (!inner) {
        return inner;
    }
    return [inner = std::move(inner)](std::vector<job_context*> all) {
        return any_may_have(all) ? run_many(inner, std::move(all)) : inner(std::move(all));
    };
}

}  // namespace

std::vector<registration> with_follow_ups(std::vector<registration> kinds) {
    for (registration& kind : kinds) {
        kind.handle = around(std::move(kind.handle));
        kind.handle_blocking = around(std::move(kind.handle_blocking));
        kind.handle_many = around(std::move(kind.handle_many));
        kind.reconcile = around(std::move(kind.reconcile));
        kind.reconcile_blocking = around(std::move(kind.reconcile_blocking));
    }
    return kinds;
}

}  // namespace libqueue::processors
