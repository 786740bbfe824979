#pragma once

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// struct of libpq, forward-declared so that this header needs no libpq.
struct pg_conn;

namespace libqueue {

// Encryption at rest for chosen kinds. Producers seal the payload before it leaves the process,
// workers open it before the handler runs and seal its output; the database sees neither a key nor
// a plaintext. docs/encryption.md has the threat model, what stays visible and how keys rotate.

/// What a sealed text is.
enum class sealed_part { payload, output, checkpoint, effect };

/// Whom a sealed text belongs to. It opens for exactly this and for nothing else: not for another
/// job, tenant or kind, and an output not as a payload.
class seal_owner {
   public:
    seal_owner(job_id id_, std::string kind_, std::optional<std::string> tenant_id_,
               sealed_part part_ = sealed_part::payload)
        : id{id_}, kind{std::move(kind_)}, tenant_id{std::move(tenant_id_)}, part{part_} {}
    job_id id;
    std::string kind;
    std::optional<std::string> tenant_id;  ///< UUID text in either case
    sealed_part part;
};

/// Where keys are.
class keyring_options {
   public:
    explicit keyring_options(std::filesystem::path directory_) : directory{std::move(directory_)} {}
    /// Holds `<key id>.key` (32 bytes as hex or base64, one line), `active` (the id of the key that
    /// seals) and, for comparing payloads under an idempotency key, `hash.key`. Each must be a
    /// regular file of this user or root that nobody else may touch.
    std::filesystem::path directory;
    /// Jobs of a tenant are sealed with the tenant's own key `tenant-<uuid>[.<text>].key`, the last
    /// in byte order. A tenant without key is an error and never falls back to another key.
    bool per_tenant{false};
};

/// The keys of one directory, in memory that is locked and wiped. Thread-safe; shared by clients
/// and workers, hence held by shared_ptr.
class keyring {
   public:
    /// Error: invalid_argument, naming the file and what is wrong with it, never its content.
    [[nodiscard]] static result<std::shared_ptr<keyring>> load(keyring_options options);

    keyring(const keyring&) = delete;
    keyring& operator=(const keyring&) = delete;
    ~keyring();

    /// Reads the directory again. All or nothing: on an error the keys stay as they were.
    [[nodiscard]] result<void> reload();

    /// Seals `json` for `owner`. Error: not_found when its tenant has no key.
    [[nodiscard]] result<std::string> seal(const seal_owner& owner, std::string_view json) const;
    /// The same with a keyed hash beside it, by which an enqueue under a known idempotency key
    /// tells the same payload from another. Without `hash.key` there is none, and the key alone
    /// decides.
    [[nodiscard]] result<std::string> seal_comparable(const seal_owner& owner,
                                                      std::string_view json) const;
    /// The text as it was before it was sealed, byte for byte. Errors: not_found (its key is not
    /// here), conflict (not sealed), invalid_payload (changed, or sealed for somebody else).
    [[nodiscard]] result<std::string> open(const seal_owner& owner, std::string_view sealed) const;
    /// Opens, and seals again with the key that seals now. What idempotency compares stays.
    [[nodiscard]] result<std::string> reseal(const seal_owner& owner,
                                             std::string_view sealed) const;

    /// The id of the key that seals for this tenant. Error: not_found.
    [[nodiscard]] result<std::string> sealing_key(
        const std::optional<std::string>& tenant_id) const;
    /// All ids, in byte order; `hash` is none of them.
    [[nodiscard]] std::vector<std::string> ids() const;
    /// False when the system did not let the keys be locked into memory (RLIMIT_MEMLOCK): then they
    /// may reach swap.
    [[nodiscard]] bool locked() const;

   private:
    class impl;
    explicit keyring(std::unique_ptr<impl> made);
    std::unique_ptr<impl> impl_;
};

/// How jsonb prints a sealed text: it begins and ends so.
inline constexpr std::string_view sealed_prefix{R"({"alg": "A256GCM", "kid": ")"};
inline constexpr std::string_view sealed_suffix{R"(", "libqueue.sealed": 1})"};

/// As the database returns it.
[[nodiscard]] inline bool is_sealed(std::string_view json) noexcept {
    return json.starts_with(sealed_prefix) && json.ends_with(sealed_suffix);
}
/// The id of its key; empty when not sealed.
[[nodiscard]] std::string_view sealed_key_id(std::string_view sealed) noexcept;

/// Makes `<id>.key` with 32 fresh random bytes, mode 0600, and never overwrites one. The directory
/// (0700) and `hash.key` are made if need be, and the first key that is no tenant's becomes active.
[[nodiscard]] result<void> create_key(const std::filesystem::path& directory, std::string_view id);
/// Makes `id` the key that seals. Processes learn of it when they reload.
[[nodiscard]] result<void> activate_key(const std::filesystem::path& directory,
                                        std::string_view id);
/// 1 to 80 of a-z 0-9 . _ -, beginning with a letter or digit; not `hash`.
[[nodiscard]] bool is_key_id(std::string_view id) noexcept;

/// For `enqueue` on the caller's own connection: draws the job's id there and seals the payload for
/// it. Enqueue the answer as it is.
[[nodiscard]] result<new_job> seal_job(pg_conn* connection, const keyring& keys, new_job job,
                                       std::string_view schema = "queue");

}  // namespace libqueue
