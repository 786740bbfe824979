#include <libqueue/client.hpp>

// What the body target links of a client it never uses: the library is built by another compiler.

namespace libqueue {

class client::impl {};

client::client(client_options) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

}  // namespace libqueue
