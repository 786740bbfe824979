// The one translation unit that compiles Boost.Asio's own code; everybody else, consumers
// included, sees BOOST_ASIO_SEPARATE_COMPILATION through the target and only declares it.
#include <boost/asio/impl/src.hpp>
