#pragma once

// Everything a producer or a worker needs.
#include <libqueue/archives.hpp>
#include <libqueue/async_client.hpp>
#include <libqueue/backoff.hpp>
#include <libqueue/batches.hpp>
#include <libqueue/client.hpp>
#include <libqueue/effect.hpp>
#include <libqueue/encryption.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/key_upkeep.hpp>
#include <libqueue/limit_options.hpp>
#include <libqueue/limits.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/observer.hpp>
#include <libqueue/outcome.hpp>
#include <libqueue/pooling.hpp>
#include <libqueue/run_records.hpp>
#include <libqueue/schedules.hpp>
#include <libqueue/topics.hpp>
#include <libqueue/transaction.hpp>
#include <libqueue/typed.hpp>
#include <libqueue/typed_handler.hpp>
#include <libqueue/version.hpp>
#include <libqueue/worker.hpp>
