#include "processors/webhook/publishing.hpp"

#include "processors/support/payload.hpp"
#include "processors/webhook/event.hpp"

#include <sql/webhook_prune.hpp>
#include <sql/webhook_publish.hpp>

#include <charconv>
#include <string>
#include <utility>

namespace libqueue::processors::webhook {

namespace {

constexpr std::size_t most_data_bytes = 20'000;

class published {
   public:
    published() = default;
    std::string type;
    std::string id;
    std::string data;
};

published of_topic(const run_view& run, payload_reader& meta) {
    published made;
    made.type = meta.text("topic");
    made.id = meta.optional_text("event_id").value_or(delivery_id(run));
    made.data = run.job.payload;
    return made;
}

published of_payload(const run_view& run, payload_reader& reader) {
    published made;
    made.type = reader.text("event");
    made.id = reader.optional_text("event_id").value_or(delivery_id(run));
    made.data = std::string{reader.raw("data")};
    return made;
}

statement prune_statement(std::chrono::hours keep) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(keep);
    return statement{std::string{sql::webhook_prune}, {std::to_string(seconds.count())}};
}

std::int64_t number_of(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

outcome publish_event(const run_view& run) {
    payload_reader meta{run.job.meta.empty() ? std::string_view{"{}"}
                                             : std::string_view{run.job.meta}};
    payload_reader payload{run.job.payload};
    const bool from_topic = meta.has("topic");
    payload_reader& reader = from_topic ? meta : payload;
    const auto event = from_topic ? of_topic(run, meta) : of_payload(run, payload);
    if (!event.type.empty() && !is_event_type(event.type)) {
        reader.fault("event", "expected words of A-Z a-z 0-9 _ - with dots between");
    }
    if (!is_event_id(event.id)) {
        reader.fault("event_id", "expected 1 to 128 of A-Z a-z 0-9 _ : -");
    }
    if (event.data.size() > most_data_bytes) {
        reader.fault("data",
                     "expected at most 20000 bytes: send what changed and an id to ask "
                     "for the rest by");
    }
    if (!reader.ok()) {
        return discard(reader.faults());
    }
    return completed(R"({"event_id":)" + json_string(event.id) + "}")
        .also(statement{std::string{sql::webhook_publish},
                        {run.job.tenant_id, event.type, event.data, event.id}});
}

boost::asio::awaitable<outcome> prune_log(job_context& context, std::chrono::hours keep) {
    std::int64_t removed = 0;
    while (!context.stop_requested()) {
        auto question = prune_statement(keep);
        auto answer = co_await context.query(std::move(question));
        const auto went = number_of(answer.value().text(0, 0));
        if (went == 0) {
            break;
        }
        removed += went;
    }
    co_return completed(R"({"removed":)" + std::to_string(removed) + "}");
}

}  // namespace libqueue::processors::webhook
