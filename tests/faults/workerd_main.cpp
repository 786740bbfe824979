// workerd as it is shipped, object by object, under a main() that adds two things: a kind whose
// runs are written down outside the database, and, when asked to, one planted bug.

#include "launch.hpp"
#include "ledger.hpp"
#include "planted_statements.hpp"

int main(int argc, char** argv) {
    faults::plant_bug_of_environment();
    return workerd::launch(argc, argv, faults::make_ledger_kinds());
}
