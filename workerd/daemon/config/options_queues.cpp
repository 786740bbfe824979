#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array queue_rows{
    option{.path = "queues.*.concurrency",
           .type = option_type::integer,
           .standard = "10",
           .min = 1,
           .max = 100'000,
           .reloadable = true,
           .doc = "Jobs of this queue running at once in this process.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.queues[name].concurrency = static_cast<int>(v.number);
               }},
    option{.path = "queues.*.retention",
           .type = option_type::duration,
           .min = 0,
           .max = 3'153'600'000'000,
           .sample = "14d",
           .doc = "How long jobs of this queue stay after their end, with their attempts; `36500d` "
                  "is for "
                  "ever. Unset: what the database says, at first 14d.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.queues[name].retention = std::chrono::milliseconds{v.number};
               }},
    option{.path = "queues.*.dead_letter_retention",
           .type = option_type::duration,
           .min = 0,
           .max = 3'153'600'000'000,
           .sample = "90d",
           .doc =
               "How long dead letters of this queue stay. The job of a dead letter stays as long "
               "as the letter. Unset: what the database says, at first 90d.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.queues[name].dead_letter_retention = std::chrono::milliseconds{v.number};
               }},
    option{.path = "queues.*.limit",
           .type = option_type::name,
           .min = 1,
           .max = 64,
           .sample = "smtp",
           .doc = "The limit all jobs of this queue are under, beside that of their kind: one of "
                  "`limits`, or one defined in the database.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.queues[name].limit = v.text;
               }},
};

constexpr std::array kind_rows{
    option{.path = "kinds.*.concurrency",
           .type = option_type::integer,
           .min = 0,
           .max = 100'000,
           .sample = "20",
           .doc = "Jobs of this kind running at once in this process. 0: only the queue's limit "
                  "counts.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].concurrency = static_cast<int>(v.number);
               }},
    option{.path = "kinds.*.timeout",
           .type = option_type::duration,
           .min = 1,
           .max = 86'400'000,
           .sample = "30s",
           .doc = "How long one attempt may run before it is told to stop and counts as failed.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "kinds.*.max_attempts",
           .type = option_type::integer,
           .min = 1,
           .max = 1'000,
           .sample = "4",
           .doc = "Attempts before the job becomes a dead letter, the first one included: 4 is one "
                  "run and three retries.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].max_attempts = static_cast<int>(v.number);
               }},
    option{.path = "kinds.*.queue",
           .type = option_type::name,
           .min = 1,
           .max = 64,
           .sample = "communication",
           .doc = "Where jobs of this kind go when the producer names no queue. Must be one of "
                  "`queues`.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].queue = v.text;
               }},
    option{.path = "kinds.*.priority",
           .type = option_type::integer,
           .min = -32'768,
           .max = 32'767,
           .sample = "5",
           .doc = "Priority when the producer names none; the lower number runs first.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].priority = static_cast<int>(v.number);
               }},
    option{.path = "kinds.*.retry.strategy",
           .type = option_type::choice,
           .choices = "exponential|linear|fibonacci|fixed",
           .sample = "exponential",
           .doc = "How the wait between attempts grows.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].retry_strategy = v.text;
               }},
    option{.path = "kinds.*.retry.base",
           .type = option_type::duration,
           .min = 1,
           .max = 86'400'000,
           .sample = "2s",
           .doc = "The wait before the first retry.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].retry_base = std::chrono::milliseconds{v.number};
               }},
    option{.path = "kinds.*.retry.cap",
           .type = option_type::duration,
           .min = 1,
           .max = 2'592'000'000,
           .sample = "60s",
           .doc = "The longest wait between two attempts. At least `base`.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].retry_cap = std::chrono::milliseconds{v.number};
               }},
    option{.path = "kinds.*.retry.jitter",
           .type = option_type::boolean,
           .sample = "true",
           .doc = "Spread the waits, so that jobs that failed together do not return together.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].retry_jitter = v.flag;
               }},
    option{.path = "kinds.*.crash_budget",
           .type = option_type::integer,
           .min = 0,
           .max = 1'000,
           .sample = "3",
           .doc = "How often a job may lose its worker before it becomes a dead letter; counted "
                  "apart from attempts.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].crash_budget = static_cast<int>(v.number);
               }},
    option{.path = "kinds.*.on_lost",
           .type = option_type::choice,
           .choices = "retry|dead|hold|reconcile",
           .sample = "retry",
           .doc = "What becomes of a job whose worker died while running it: back in line; dead "
                  "letter; dead letter held for an operator; back in line to find out first what "
                  "the lost attempt did.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].on_lost = v.text;
               }},
    option{.path = "kinds.*.retention",
           .type = option_type::duration,
           .min = 0,
           .max = 3'153'600'000'000,
           .sample = "7d",
           .doc =
               "How long jobs of this kind stay after their end. Unset: as long as their queue's "
               "`retention` says where that is set, else see below.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].retention = std::chrono::milliseconds{v.number};
               }},
    option{.path = "kinds.*.cancelled_retention",
           .type = option_type::duration,
           .min = 0,
           .max = 3'153'600'000'000,
           .sample = "1d",
           .doc = "The same for cancelled jobs. Unset: what the database says, at first as for "
                  "completed ones.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].cancelled_retention = std::chrono::milliseconds{v.number};
               }},
    option{.path = "kinds.*.dead_letter_retention",
           .type = option_type::duration,
           .min = 0,
           .max = 3'153'600'000'000,
           .sample = "365d",
           .doc = "How long dead letters of this kind stay. Unset: what the database says, at "
                  "first as long as their queue's.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].dead_letter_retention = std::chrono::milliseconds{v.number};
               }},
    option{.path = "kinds.*.archive",
           .type = option_type::name,
           .min = 1,
           .max = 64,
           .sample = "payment_archive",
           .doc = "The archive its jobs are moved to when their retention is over; `none`: they "
                  "go. Unset: see below, else what the database says, at first none.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].archive = v.text == "none" ? "" : v.text;
               }},
    option{.path = "kinds.*.limit",
           .type = option_type::name,
           .min = 1,
           .max = 64,
           .sample = "smtp",
           .doc = "The limit its jobs are under: one of `limits`, or one defined in the database. "
                  "Default: none.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].limit = v.text;
               }},
    option{.path = "kinds.*.encrypted",
           .type = option_type::boolean,
           .sample = "false",
           .doc = "Producers seal the payloads of this kind, workers open them and seal outputs; "
                  "needs `encryption.keys`. From the first start on the database refuses what is "
                  "not sealed. Taking it out again does not undo that: `queue.set_encrypted` does.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.kinds[name].encrypted = v.flag;
               }},
};

}  // namespace

std::span<const option> queue_option_rows() {
    return queue_rows;
}

std::span<const option> kind_option_rows() {
    return kind_rows;
}

}  // namespace workerd
