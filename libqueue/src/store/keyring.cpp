#include "core/envelope.hpp"
#include "store/key_files.hpp"

#include <libqueue/encryption.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace libqueue {
namespace {

error no_key(const std::string& id) {
    return error{errc::not_found, "key " + id + " is not here",
                 "Put its file into the directory of keys and reload, if the data is to be read."};
}

error broken(const seal_owner& owner) {
    return error{errc::invalid_payload,
                 "sealed text of job " + std::to_string(owner.id) +
                     " does not open: it was changed, belongs to another job, tenant or kind, or "
                     "its key is another one of the same name"};
}

}  // namespace

class keyring::impl {
   public:
    impl(keyring_options options, store::key_set keys)
        : options_{std::move(options)},
          keys_{std::make_shared<const store::key_set>(std::move(keys))} {}

    /// Shared: with callers that still use the keys of before a reload.
    [[nodiscard]] std::shared_ptr<const store::key_set> keys() const {
        const std::lock_guard lock{mutex_};
        return keys_;
    }

    result<void> reload() {
        auto fresh = store::read_keys(options_.directory);
        if (fresh.has_error()) {
            return fresh.error();
        }
        auto shared = std::make_shared<const store::key_set>(std::move(*fresh));
        const std::lock_guard lock{mutex_};
        keys_.swap(shared);
        return {};
    }

    [[nodiscard]] result<std::string> sealing_key(const store::key_set& keys,
                                                  const std::optional<std::string>& tenant) const {
        if (options_.per_tenant && tenant) {
            std::string id = *tenant;
            std::transform(id.begin(), id.end(), id.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            std::string found = keys.tenant_key(id);
            if (found.empty()) {
                return error{errc::not_found, "tenant " + id + " has no key in " + where(),
                             "Make one with: qctl keys create " + where() + " --tenant " + id};
            }
            return found;
        }
        if (keys.active.empty()) {
            return error{errc::not_found, "no key is active in " + where(),
                         "Choose one with: qctl keys rotate " + where()};
        }
        return keys.active;
    }

    [[nodiscard]] result<std::string> seal(const seal_owner& owner, std::string_view json,
                                           bool comparable) const {
        const auto with = keys();
        const auto id = sealing_key(*with, owner.tenant_id);
        if (id.has_error()) {
            return id.error();
        }
        const auto hash_key = with->hash();
        const std::string hash =
            comparable && hash_key ? core::content_hash(*hash_key, owner, json) : std::string{};
        return core::seal(*with->find(*id), *id, hash, owner, json);
    }

    [[nodiscard]] result<std::string> reseal(const seal_owner& owner,
                                             std::string_view sealed) const {
        const auto with = keys();
        std::string hash;
        const auto plain = open(*with, owner, sealed, hash);
        if (plain.has_error()) {
            return plain;
        }
        const auto id = sealing_key(*with, owner.tenant_id);
        if (id.has_error()) {
            return id.error();
        }
        return core::seal(*with->find(*id), *id, hash, owner, *plain);
    }

    [[nodiscard]] static result<std::string> open(const store::key_set& with,
                                                  const seal_owner& owner, std::string_view sealed,
                                                  std::string& hash) {
        if (!is_sealed(sealed)) {
            return error{errc::conflict,
                         "payload of job " + std::to_string(owner.id) + " is not sealed",
                         "Seal what stands in line with: qctl keys reseal"};
        }
        auto parsed = core::parse_envelope(sealed);
        if (!parsed) {
            return broken(owner);
        }
        const auto key = with.find(parsed->key_id);
        if (!key) {
            return is_key_id(parsed->key_id) ? no_key(parsed->key_id) : broken(owner);
        }
        auto plain = core::open(*key, *parsed, owner);
        if (!plain) {
            return broken(owner);
        }
        hash = std::move(parsed->hash);
        return std::move(*plain);
    }

   private:
    [[nodiscard]] std::string where() const { return options_.directory.string(); }

    const keyring_options options_;
    mutable std::mutex mutex_;  // guards keys_, not what it points to
    std::shared_ptr<const store::key_set> keys_;
};

keyring::keyring(std::unique_ptr<impl> made) : impl_{std::move(made)} {}
keyring::~keyring() = default;

result<std::shared_ptr<keyring>> keyring::load(keyring_options options) {
    auto keys = store::read_keys(options.directory);
    if (keys.has_error()) {
        return keys.error();
    }
    auto made = std::make_unique<impl>(std::move(options), std::move(*keys));
    return std::shared_ptr<keyring>{new keyring{std::move(made)}};
}

result<void> keyring::reload() {
    return impl_->reload();
}

result<std::string> keyring::seal(const seal_owner& owner, std::string_view json) const {
    return impl_->seal(owner, json, false);
}

result<std::string> keyring::seal_comparable(const seal_owner& owner, std::string_view json) const {
    return impl_->seal(owner, json, true);
}

result<std::string> keyring::open(const seal_owner& owner, std::string_view sealed) const {
    std::string hash;
    return impl::open(*impl_->keys(), owner, sealed, hash);
}

result<std::string> keyring::reseal(const seal_owner& owner, std::string_view sealed) const {
    return impl_->reseal(owner, sealed);
}

result<std::string> keyring::sealing_key(const std::optional<std::string>& tenant_id) const {
    return impl_->sealing_key(*impl_->keys(), tenant_id);
}

std::vector<std::string> keyring::ids() const {
    const auto with = impl_->keys();
    std::vector<std::string> all;
    for (const auto& [id, at] : with->ids) {
        all.push_back(id);
    }
    return all;
}

bool keyring::locked() const {
    return impl_->keys()->memory->locked();
}

std::string_view sealed_key_id(std::string_view sealed) noexcept {
    if (!is_sealed(sealed)) {
        return {};
    }
    const std::string_view rest = sealed.substr(sealed_prefix.size());
    return rest.substr(0, rest.find('"'));
}

}  // namespace libqueue
