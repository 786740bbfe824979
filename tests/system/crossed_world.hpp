#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"

#include <libqueue/principal.hpp>

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// Sixty-four tenants with two of everything, in one database, and a workerd on it that must keep
/// them apart (tenancy.enabled, a role that owns nothing).
///
/// Whatever a tenant has holds its secret word, `zzs07`, which nobody else ever writes; others know
/// its public word, `zzp07`, and all ids and names. What a tenant makes in a try holds `zzb07`.
class crossed_world {
   public:
    static constexpr int tenants{64};

    crossed_world();
    crossed_world(const crossed_world&) = delete;
    crossed_world& operator=(const crossed_world&) = delete;

    [[nodiscard]] const test_database& db() const noexcept { return db_; }
    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    /// A login role of this cluster that is no more than a member of `queue_<of>`, as DSN.
    [[nodiscard]] std::string login(const std::string& of, int tenant) const;

    [[nodiscard]] static std::string tenant_id(int tenant);
    [[nodiscard]] static std::string token(int tenant, libqueue::role as);
    [[nodiscard]] const std::filesystem::path& token_file(int tenant) const {
        return token_files_.at(static_cast<std::size_t>(tenant));
    }

    /// Things of a tenant by the names the tries use: job, batch, cursor:/jobs, ...
    [[nodiscard]] std::map<std::string, std::string>& things(int tenant) {
        return things_.at(static_cast<std::size_t>(tenant));
    }
    /// `$job` is the other's job, `$by` the word of who tries.
    [[nodiscard]] std::string filled(std::string_view text, int me, int other) const;

    /// What of another's a text shows; empty: nothing. What was `asked` may come back.
    [[nodiscard]] static std::string shown(std::string_view text, int me, std::string_view asked);

    /// What of what there was at first has changed or is gone, and what somebody made that is
    /// another's now; empty: nothing.
    [[nodiscard]] std::string damage() const;

   private:
    void make_roles() const;
    void migrate();
    void fill();
    void start(const std::string& config);
    [[nodiscard]] std::string config(bool keeps_apart) const;

    test_database db_;
    temp_dir folder_;
    std::unique_ptr<process> workerd_;
    std::string address_;
    std::array<std::map<std::string, std::string>, tenants> things_;
    std::vector<std::filesystem::path> token_files_;
};

}  // namespace test
