#pragma once

#include "bench/harness.hpp"

#include <boost/json/object.hpp>

// One side of one figure each: takes the arguments of a command, returns what it measured.

namespace bench {

/// Migrates and enqueues --jobs over --priorities priorities, then makes the tables as autovacuum
/// would leave them and checkpoints; with --raw not.
[[nodiscard]] boost::json::object preload(const arguments& given);
/// Runs the --jobs preloaded jobs through libqueue::worker, or with --workerd and --config through
/// that program, until the last is recorded; with --until_taken until --take of them have run.
/// --snapshot: while one is held. --others_wait: jobs of other kinds may be left in line.
[[nodiscard]] boost::json::object drain(const arguments& given);
/// The limit of drain: two connections that delete from a bare table of the same jobs.
[[nodiscard]] boost::json::object bare_drain(const arguments& given);
/// Enqueues and drains together for --seconds with about --outstanding jobs in line.
[[nodiscard]] boost::json::object sustained(const arguments& given);
/// Enqueues --jobs in thousands with one connection; --how sql, client, copy or copy_batches.
[[nodiscard]] boost::json::object enqueue(const arguments& given);
/// The time from commit to handler at --rate jobs a second for --seconds; --spacing steady or
/// poisson.
[[nodiscard]] boost::json::object pickup(const arguments& given);
/// The limit of pickup: INSERT with NOTIFY, LISTEN with DELETE.
[[nodiscard]] boost::json::object bare_pickup(const arguments& given);

}  // namespace bench
