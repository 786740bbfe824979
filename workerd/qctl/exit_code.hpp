#pragma once

#include <array>
#include <string_view>

namespace qctl {

/// What the process returns. Scripts depend on these figures: they are added to, never changed.
enum class exit_code {
    ok = 0,
    failed = 1,
    usage = 2,
    not_found = 3,
    not_authenticated = 4,
    refused = 5,
    findings = 6,
    timed_out = 7,
    partly_done = 8,
    unreachable = 9,
    interrupted = 130,
};

class exit_code_meaning {
   public:
    exit_code code;
    std::string_view meaning;
};

/// `qctl help exit-codes` and the manual print this table.
inline constexpr std::array exit_code_meanings{
    exit_code_meaning{exit_code::ok, "done"},
    exit_code_meaning{exit_code::failed, "failed; for wait: the job ended other than completed"},
    exit_code_meaning{exit_code::usage,
                      "usage: a bad flag, argument or payload, or a confirmation that was missing"},
    exit_code_meaning{exit_code::not_found,
                      "not found: no such job, dead letter, queue, schedule, batch, "
                      "subscription or archive"},
    exit_code_meaning{exit_code::not_authenticated,
                      "not authenticated or not authorised by the database or server"},
    exit_code_meaning{exit_code::refused,
                      "refused by state: conflict, idempotency key in use, schema not fitting"},
    exit_code_meaning{exit_code::findings,
                      "found something: doctor, maintain, migrate check or verify, audit verify, "
                      "config"},
    exit_code_meaning{exit_code::timed_out, "timed out: a wait or a statement"},
    exit_code_meaning{exit_code::partly_done, "partly done: some of the work failed"},
    exit_code_meaning{exit_code::unreachable, "the database or server is unreachable"},
    exit_code_meaning{exit_code::interrupted, "interrupted by Ctrl-C"},
};

}  // namespace qctl
