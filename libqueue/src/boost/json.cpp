// The one translation unit that compiles Boost.JSON (its header-only mode).
#include <boost/json/src.hpp>
