// Stands between the library and libpq: the linker sends calls of PQsendPrepare here (--wrap), in
// the fault tests' own workerd only.

#include "planted_statements.hpp"

#include "planted_bugs.hpp"

#include <libpq-fe.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

namespace faults {

namespace {

// Written before any connection is made.
const planted_bug* planted = nullptr;

[[noreturn]] void refuse(const std::string& why) {
    std::cerr << why << std::endl;
    ::_exit(edit_failed_code);
}

std::string edited(std::string_view statement, std::string text) {
    for (const text_edit& edit : planted->edits) {
        if (edit.statement != statement) {
            continue;
        }
        auto at = text.find(edit.from);
        if (at == std::string::npos) {
            refuse("planted bug " + std::string{planted->name} + ": " + std::string{statement} +
                   " has no '" + std::string{edit.from} + "'");
        }
        for (; at != std::string::npos; at = text.find(edit.from, at + edit.to.size())) {
            text.replace(at, edit.from.size(), edit.to);
        }
        std::cerr << R"({"event":"planted_bug","statement":")" << statement << "\"}" << std::endl;
    }
    return text;
}

}  // namespace

void plant_bug_of_environment() {
    const char* wanted = std::getenv("LIBQUEUE_PLANTED_BUG");
    if (wanted == nullptr || *wanted == '\0') {
        return;
    }
    const auto bugs = planted_bugs();
    const auto found = std::find_if(bugs.begin(), bugs.end(),
                                    [&](const planted_bug& each) { return each.name == wanted; });
    if (found == bugs.end()) {
        refuse("no planted bug " + std::string{wanted});
    }
    planted = &*found;
}

}  // namespace faults

extern "C" {

int __real_PQsendPrepare(PGconn* conn, const char* name, const char* text, int count,
                         const Oid* types);

int __wrap_PQsendPrepare(PGconn* conn, const char* name, const char* text, int count,
                         const Oid* types) {
    if (faults::planted == nullptr) {
        return __real_PQsendPrepare(conn, name, text, count, types);
    }
    const std::string changed = faults::edited(name, text);
    return __real_PQsendPrepare(conn, name, changed.c_str(), count, types);
}
}
