#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace libqueue::pg {

/// The hosts of a connection string, beginning with another one: libpq's asynchronous connect waits
/// for the first that neither answers nor refuses, without end, and never asks the others.
class host_order {
   public:
    /// Begins with host `first`, counted round.
    host_order(const std::string& dsn, std::size_t first);
    [[nodiscard]] bool several() const noexcept { return several_; }
    /// Adds the words that replace those of the connection string; they point into this.
    void append_to(std::vector<const char*>& keys, std::vector<const char*>& values) const;

   private:
    bool several_{false};
    std::vector<std::string> words_;  // keyword and value by turns
};

}  // namespace libqueue::pg
