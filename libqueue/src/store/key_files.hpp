#pragma once

#include "core/envelope.hpp"

#include <libqueue/error.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Keys as files, and keys in memory.
namespace libqueue::store {

/// Pages for so many keys: locked if the system lets us, left out of core dumps, wiped at the end.
class key_memory {
   public:
    /// Throws std::bad_alloc.
    explicit key_memory(std::size_t keys);
    key_memory(const key_memory&) = delete;
    key_memory& operator=(const key_memory&) = delete;
    ~key_memory();
    [[nodiscard]] unsigned char* at(std::size_t index) noexcept;
    [[nodiscard]] core::key_view key(std::size_t index) const noexcept;
    [[nodiscard]] bool locked() const noexcept { return locked_; }

   private:
    unsigned char* start_;
    std::size_t bytes_;
    bool locked_;
};

/// One state of a directory. Immutable.
class key_set {
   public:
    [[nodiscard]] std::optional<core::key_view> find(std::string_view id) const;
    [[nodiscard]] std::optional<core::key_view> hash() const;
    /// The last in byte order of the tenant's keys; empty when it has none.
    [[nodiscard]] std::string tenant_key(std::string_view tenant_id) const;

    std::map<std::string, std::size_t, std::less<>> ids;
    std::optional<std::size_t> hash_at;
    std::string active;
    std::unique_ptr<key_memory> memory;
};

/// Reads all keys of a directory. Error: invalid_argument naming the file.
[[nodiscard]] result<key_set> read_keys(const std::filesystem::path& directory);

}  // namespace libqueue::store
