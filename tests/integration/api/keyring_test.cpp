#include "support/temp_dir.hpp"

#include <libqueue/encryption.hpp>

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using libqueue::activate_key;
using libqueue::create_key;
using libqueue::errc;
using libqueue::keyring;
using libqueue::keyring_options;
using libqueue::seal_owner;
using libqueue::sealed_key_id;
using libqueue::sealed_part;

const std::string tenant_a{"aaaaaaaa-0000-4000-8000-000000000001"};
const std::string tenant_b{"bbbbbbbb-0000-4000-8000-000000000002"};
const std::string key_text(64, '7');
const std::string base64_text{"dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXU="};

/// A directory of keys that starts without one.
class key_folder {
   public:
    key_folder() { REQUIRE(::chmod(path().c_str(), 0700) == 0); }
    [[nodiscard]] fs::path path() const { return folder_.path(); }
    [[nodiscard]] fs::path put(const std::string& name, const std::string& text,
                               mode_t mode = 0600) const {
        const auto file = folder_.write(name, text);
        REQUIRE(::chmod(file.c_str(), mode) == 0);
        return file;
    }
    [[nodiscard]] auto load(bool per_tenant = false) const {
        keyring_options options{path()};
        options.per_tenant = per_tenant;
        return keyring::load(options);
    }
    /// Of a load that must fail because of this file.
    [[nodiscard]] std::string refusal(const fs::path& because_of) const {
        const auto loaded = load();
        REQUIRE(loaded.has_error());
        CHECK(loaded.error().code == errc::invalid_argument);
        CHECK(loaded.error().message.find(because_of.string()) != std::string::npos);
        CHECK(loaded.error().message.find("7777") == std::string::npos);
        return loaded.error().message;
    }

   private:
    test::temp_dir folder_;
};

seal_owner job(libqueue::job_id id, std::optional<std::string> tenant = {}) {
    return seal_owner{id, "card.charge", std::move(tenant)};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("keyring");

TEST_CASE("keyring: keys are hex or base64, with or without a line end") {
    const key_folder keys;
    static_cast<void>(keys.put("hex.key", key_text));
    static_cast<void>(keys.put("HEX.txt", "no key"));
    static_cast<void>(keys.put("b64.key", base64_text + "\n"));
    static_cast<void>(keys.put("active", "hex\n"));

    const auto loaded = keys.load();

    REQUIRE(loaded.has_value());
    CHECK((*loaded)->ids() == std::vector<std::string>{"b64", "hex"});
    const auto sealed = (*loaded)->seal(job(1), "{}").value();
    CHECK(sealed_key_id(sealed) == "hex");
    CHECK((*loaded)->open(job(1), sealed).value() == "{}");
}

TEST_CASE("keyring: a directory that is missing, empty or open to others is refused by name") {
    const key_folder keys;
    CHECK(contains(keys.refusal(keys.path()), "expected a key, got none"));
    static_cast<void>(keys.put("k.key", key_text));
    for (const mode_t mode : {0770, 0702, 0777}) {
        REQUIRE(::chmod(keys.path().c_str(), mode) == 0);
        CHECK(contains(keys.refusal(keys.path()), "nobody else may write"));
    }
    const auto missing = keyring::load(keyring_options{keys.path() / "none"});
    REQUIRE(missing.has_error());
    CHECK(contains(missing.error().message, (keys.path() / "none").string()));
    CHECK(contains(missing.error().hint, "qctl keys create"));
}

TEST_CASE("keyring: key files that others may touch are refused by name") {
    const key_folder keys;
    for (const mode_t mode : {0644, 0640, 0604, 0660, 0602, 0610, 0777}) {
        const auto file = keys.put("k.key", key_text, mode);
        CHECK(contains(keys.refusal(file), "nobody else may touch"));
    }
    static_cast<void>(keys.put("k.key", key_text, 0400));
    CHECK(keys.load().has_value());
}

TEST_CASE("keyring: a symbolic link, a folder and a named pipe are no key files") {
    const key_folder keys;
    const test::temp_dir elsewhere;
    const auto target = elsewhere.write("real", key_text);
    REQUIRE(::chmod(target.c_str(), 0600) == 0);
    const auto file = keys.path() / "k.key";

    fs::create_symlink(target, file);
    CHECK(contains(keys.refusal(file), "symbolic link"));
    fs::remove(file);
    fs::create_directory(file);
    CHECK(contains(keys.refusal(file), "regular file"));
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(contains(keys.refusal(file), "regular file"));
}

TEST_CASE("keyring: a key file of another user is refused by name") {
    if (::geteuid() != 0) {
        return;  // nobody else can give a file away
    }
    const key_folder keys;
    const auto file = keys.put("k.key", key_text);
    REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);

    CHECK(contains(keys.refusal(file), "user id 65534"));
}

TEST_CASE("keyring: text that is not 32 bytes is refused by name") {
    const key_folder keys;
    for (const std::string& text :
         {std::string{}, std::string(62, '7'), std::string(66, '7'), std::string(64, 'g'),
          std::string(44, '7'), std::string(40, 'd'), key_text + "\n" + key_text,
          std::string(400, '7'), std::string(32, '\x01')}) {
        CAPTURE(text);
        const auto file = keys.put("k.key", text);
        CHECK(contains(keys.refusal(file), "expected 32 bytes"));
    }
}

TEST_CASE("keyring: names that are no key ids, and an active key that is not there, are refused") {
    const key_folder keys;
    static_cast<void>(keys.put("k.key", key_text));
    const auto odd = keys.put("K\".key", key_text);
    CHECK(contains(keys.refusal(odd), "a-z 0-9"));
    fs::remove(odd);
    const auto active = keys.put("active", "k2\n");
    CHECK(contains(keys.refusal(active), "names key k2"));
    CHECK_FALSE(contains(keys.refusal(keys.put("active", "7777 7777")), "7777 7777"));
}

TEST_CASE("keyring: without an active key nothing is sealed, and what is sealed still opens") {
    const key_folder keys;
    REQUIRE(create_key(keys.path(), "k1").has_value());
    const auto ring = keys.load().value();
    const auto sealed = ring->seal(job(1), "{}").value();
    fs::remove(keys.path() / "active");

    REQUIRE(ring->reload().has_value());

    CHECK(ring->seal(job(1), "{}").error().code == errc::not_found);
    CHECK(ring->open(job(1), sealed).value() == "{}");
}

TEST_CASE("create_key: makes private files, the first one active, and never overwrites") {
    const test::temp_dir base;
    const auto folder = base.path() / "keys";
    REQUIRE(create_key(folder, "k1").has_value());
    const auto before = test::read_file(folder / "k1.key");

    const auto again = create_key(folder, "k1");
    REQUIRE(create_key(folder, "k2").has_value());

    REQUIRE(again.has_error());
    CHECK(contains(again.error().message, (folder / "k1.key").string()));
    CHECK(test::read_file(folder / "k1.key") == before);
    CHECK(test::read_file(folder / "k2.key") != before);
    CHECK(test::read_file(folder / "active") == "k1\n");
    for (const char* name : {"k1.key", "k2.key", "hash.key", "active"}) {
        CHECK((fs::status(folder / name).permissions() & fs::perms{077}) == fs::perms::none);
    }
    for (const char* id : {"", "hash", "../k", ".k", "K", "a b", "tenant/x"}) {
        CHECK(create_key(folder, id).has_error());
    }
}

TEST_CASE("keyring: after a rotation new texts use the new key and old ones open until it goes") {
    const key_folder keys;
    REQUIRE(create_key(keys.path(), "k1").has_value());
    const auto ring = keys.load().value();
    const auto old = ring->seal_comparable(job(1), "{\"a\": 1}").value();
    REQUIRE(create_key(keys.path(), "k2").has_value());
    REQUIRE(activate_key(keys.path(), "k2").has_value());
    REQUIRE(ring->reload().has_value());

    CHECK(sealed_key_id(ring->seal(job(2), "{}").value()) == "k2");
    CHECK(ring->open(job(1), old).value() == "{\"a\": 1}");
    const auto moved = ring->reseal(job(1), old).value();
    CHECK(sealed_key_id(moved) == "k2");
    fs::remove(keys.path() / "k1.key");
    REQUIRE(ring->reload().has_value());

    CHECK(ring->open(job(1), old).error().code == errc::not_found);
    CHECK(contains(ring->open(job(1), old).error().message, "k1"));
    CHECK(ring->open(job(1), moved).value() == "{\"a\": 1}");
    // What idempotency compares outlives the rotation.
    const auto hash = [](const std::string& sealed) {
        return sealed.substr(sealed.find("\"hash\": \""), 54);
    };
    CHECK(hash(moved) == hash(old));
    CHECK(hash(ring->seal_comparable(job(3), "{\"a\":1}").value()) == hash(old));
}

TEST_CASE("keyring: a directory that has become unfit leaves the keys as they were") {
    const key_folder keys;
    REQUIRE(create_key(keys.path(), "k1").has_value());
    const auto ring = keys.load().value();
    const auto bad = keys.put("k2.key", "short");

    const auto reloaded = ring->reload();

    REQUIRE(reloaded.has_error());
    CHECK(contains(reloaded.error().message, bad.string()));
    CHECK(ring->open(job(1), ring->seal(job(1), "[]").value()).value() == "[]");
}

TEST_CASE("keyring: with a key per tenant each has its own, and none never falls back") {
    const key_folder keys;
    REQUIRE(create_key(keys.path(), "k1").has_value());
    REQUIRE(create_key(keys.path(), "tenant-" + tenant_a).has_value());
    const auto ring = keys.load(true).value();
    const auto of_a = ring->seal(job(1, tenant_a), "{}").value();

    CHECK(sealed_key_id(of_a) == "tenant-" + tenant_a);
    CHECK(sealed_key_id(ring->seal(job(1), "{}").value()) == "k1");
    const auto of_b = ring->seal(job(1, tenant_b), "{}");
    REQUIRE(of_b.has_error());
    CHECK(of_b.error().code == errc::not_found);
    CHECK(contains(of_b.error().message, tenant_b));

    REQUIRE(create_key(keys.path(), "tenant-" + tenant_a + ".2026").has_value());
    REQUIRE(ring->reload().has_value());
    CHECK(ring->sealing_key(tenant_a).value() == "tenant-" + tenant_a + ".2026");
    CHECK(ring->open(job(1, tenant_a), of_a).value() == "{}");

    fs::remove(keys.path() / ("tenant-" + tenant_a + ".key"));
    REQUIRE(ring->reload().has_value());
    CHECK(ring->open(job(1, tenant_a), of_a).error().code == errc::not_found);
}

TEST_CASE("keyring: open tells a missing key, a text that is not sealed and a changed one apart") {
    const key_folder keys;
    REQUIRE(create_key(keys.path(), "k1").has_value());
    const auto ring = keys.load().value();
    auto sealed = ring->seal(job(1), R"({"pan":"4111"})").value();

    CHECK(ring->open(job(2), sealed).error().code == errc::invalid_payload);
    CHECK(ring->open(job(1), R"({"pan":"4111"})").error().code == errc::conflict);
    auto foreign = sealed;
    foreign[foreign.find("k1") + 1] = '9';
    CHECK(ring->open(job(1), foreign).error().code == errc::not_found);
    sealed[sealed.find("data") + 10] ^= 1;
    const auto changed = ring->open(job(1), sealed);
    CHECK(changed.error().code == errc::invalid_payload);
    CHECK_FALSE(contains(changed.error().message, "4111"));
    // Another directory with a key of the same name.
    const key_folder other;
    REQUIRE(create_key(other.path(), "k1").has_value());
    CHECK(other.load().value()->open(job(1), ring->seal(job(1), "{}").value()).error().code ==
          errc::invalid_payload);
}

TEST_CASE("keyring: seals and opens on many threads while it is reloaded") {
    const key_folder keys;
    REQUIRE(create_key(keys.path(), "k1").has_value());
    REQUIRE(create_key(keys.path(), "k2").has_value());
    const auto ring = keys.load().value();
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                const auto sealed = ring->seal(job(t * 1'000 + i), "{\"n\":1}");
                failed += sealed.has_value() && ring->open(job(t * 1'000 + i), *sealed).has_value()
                              ? 0
                              : 1;
            }
        });
    }

    for (int i = 0; i < 100; ++i) {
        failed += activate_key(keys.path(), i % 2 == 0 ? "k2" : "k1").has_value() ? 0 : 1;
        failed += ring->reload().has_value() ? 0 : 1;
    }
    for (auto& each : threads) {
        each.join();
    }

    CHECK(failed == 0);
}

TEST_SUITE_END();
