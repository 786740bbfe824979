// The TLS half of Boost.Asio, in an archive member of its own: linked only where it is used.
#include <boost/asio/ssl/impl/src.hpp>
