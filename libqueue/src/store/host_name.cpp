#include "store/host_name.hpp"

#include <sys/utsname.h>

namespace libqueue::store {

std::string host_name() {
    utsname names{};
    return ::uname(&names) == 0 ? names.nodename : "unknown";
}

}  // namespace libqueue::store
