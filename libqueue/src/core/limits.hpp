#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

/// Every upper bound of the system. A bound that PostgreSQL enforces as well (a CHECK, a smallint)
/// has the same figure in the migrations: change both or neither.
namespace libqueue::limits {

// Names. Bytes, not characters: names are ASCII, and a byte count is what an index key costs.

/// `email.send`: [a-z0-9_.-]. Metric labels and index keys stay small.
inline constexpr std::size_t kind_bytes = 64;
/// Queues are few and are typed by people.
inline constexpr std::size_t queue_bytes = 64;
/// Any bytes of valid UTF-8. Far below the 2,704 bytes a B-tree entry may have, tenant included.
inline constexpr std::size_t idempotency_key_bytes = 512;
/// Ordering and concurrency keys, and subjects.
inline constexpr std::size_t key_bytes = 512;
/// What selects a bucket of a limit becomes part of its row's key.
inline constexpr std::size_t limit_key_bytes = 200;
/// Of a limit on the outside world, and of a field of meta that is its key.
inline constexpr std::size_t limit_name_bytes = 64;
/// For people; default `host:pid`, and a host name may have 253 bytes.
inline constexpr std::size_t worker_name_bytes = 300;
/// PostgreSQL truncates identifiers at NAMEDATALEN - 1.
inline constexpr std::size_t schema_bytes = 63;
/// One tag inside meta.tags.
inline constexpr std::size_t tag_bytes = 64;
inline constexpr std::size_t tags_per_job = 32;

// Documents.

/// Default of a queue's own setting. Larger things belong into an object store, named by the job.
inline constexpr std::size_t payload_bytes_default = std::size_t{1} << 20;
/// The most a queue may be set to: beyond it jsonb parsing alone would stall a turn.
inline constexpr std::size_t payload_bytes_max = std::size_t{64} << 20;
/// Tags, traceparent and what middlemen add.
inline constexpr std::size_t meta_bytes = std::size_t{64} << 10;
/// Kept of an error text; the head says what happened, a stack trace's tail rarely does.
inline constexpr std::size_t error_text_bytes = std::size_t{16} << 10;
/// Kept of a handler's output.
inline constexpr std::size_t output_bytes = std::size_t{1} << 20;
/// Kept of a progress line and of reasons given by people (pause, cancel).
inline constexpr std::size_t note_bytes = std::size_t{1} << 10;
/// Nesting of any JSON we accept or write. PostgreSQL's own parser recurses and gives up at some
/// thousands, depending on max_stack_depth; every reader must cope, so we stop far earlier.
inline constexpr std::size_t json_depth = 128;
/// Characters of one JSON number. jsonb stores numbers as numeric, which would keep far more.
inline constexpr std::size_t json_number_bytes = 1'000;
/// Of a JSON number's exponent, either sign. A double needs 324; `1e100000` in five bytes of text
/// would make jsonb print a hundred thousand.
inline constexpr int json_exponent = 400;

// Numbers of a job.

/// A smallint column; lower runs first.
inline constexpr int priority_min = std::numeric_limits<std::int16_t>::min();
inline constexpr int priority_max = std::numeric_limits<std::int16_t>::max();
inline constexpr int priority_default = 5;
inline constexpr int max_attempts_min = 1;
inline constexpr int max_attempts_max = 1'000;
/// One run and three retries.
inline constexpr int max_attempts_default = 4;
inline constexpr int crash_budget_max = 1'000;
inline constexpr int crash_budget_default = 3;

// Times.

/// Snoozes, retry-after and backoff: ten years. Anything beyond is a mistaken unit.
inline constexpr std::chrono::milliseconds delay_max = std::chrono::hours{24 * 3'650};
/// Delay of an enqueue, a hundred years: what the SQL function accepts. `now + delay` stays far
/// from the end of timestamptz.
inline constexpr std::chrono::milliseconds enqueue_delay_max = std::chrono::hours{24 * 36'525};
inline constexpr std::chrono::seconds idempotency_ttl_default = std::chrono::hours{24 * 7};
inline constexpr std::chrono::seconds idempotency_ttl_max = std::chrono::hours{24 * 3'650};
inline constexpr std::chrono::milliseconds timeout_default = std::chrono::minutes{5};
inline constexpr std::chrono::milliseconds timeout_max = std::chrono::hours{24};
/// A hundred years, for "for ever".
inline constexpr std::chrono::milliseconds retention_max = std::chrono::hours{24 * 36'500};
inline constexpr std::chrono::milliseconds heartbeat_min{100};

// Limits on the outside world.

/// Burst, and running at once.
inline constexpr int limit_count_max = 1'000'000;
/// Tokens per second: one in eleven days, and more than one row's lock can be taken.
inline constexpr double rate_min = 0.000001;
inline constexpr double rate_max = 100'000;

/// Tokens one job takes.
inline constexpr int cost_max = 1'000'000;
/// Jobs of one concurrency key at a time.
inline constexpr int key_concurrency_max = 10'000;

// Batches and concurrency.

/// Jobs one claim takes at most: bounds the time row locks are held and the memory of a turn.
inline constexpr int claim_batch_max = 500;
/// Finished attempts one turn acknowledges at most.
inline constexpr int acknowledge_batch_max = 1'000;
/// Jobs one statement of enqueue_many carries; longer batches are several statements.
inline constexpr int enqueue_batch_max = 1'000;
/// From this size on a batch travels as arrays instead of one statement per job.
inline constexpr int enqueue_array_threshold = 100;
/// Dead letters, rescues, prunes and purges per transaction.
inline constexpr int sweep_batch_max = 500;
/// Rows of one list.
inline constexpr int list_rows_max = 10'000;
/// Jobs one list of the history looks at: about a second.
inline constexpr int list_examined_max = 100'000;
/// Of one queue in one process.
inline constexpr int concurrency_max = 100'000;
inline constexpr int turn_connections_max = 8;
inline constexpr int blocking_threads_max = 64;

}  // namespace libqueue::limits
