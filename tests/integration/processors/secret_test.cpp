#include "processors/support/secret.hpp"

#include "support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

namespace {

using libqueue::processors::read_secret_file;
using libqueue::processors::secret;

template <typename T>
concept printable = requires(std::ostream& out, const T& value) {
    out << value;
};
static_assert(!printable<secret>, "a secret must not be printable");

std::filesystem::path private_file(const test::temp_dir& dir, const std::string& content,
                                   mode_t mode = 0600) {
    auto path = dir.write("secret", content);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
}

}  // namespace

TEST_SUITE("processors: secret") {
    TEST_CASE("read_secret_file: reads a private file and drops one line end") {
        const test::temp_dir dir;
        CHECK(read_secret_file(private_file(dir, "pass word\n")).value().reveal() == "pass word");
        CHECK(read_secret_file(private_file(dir, "two\n\n")).value().reveal() == "two\n");
        CHECK(read_secret_file(private_file(dir, "dos\r\n")).value().reveal() == "dos");
        CHECK(read_secret_file(private_file(dir, "bare", 0400)).value().reveal() == "bare");
    }

    TEST_CASE("read_secret_file: refuses what others may read, naming the path and not the text") {
        const test::temp_dir dir;
        for (const mode_t mode : {0640, 0604, 0644, 0660, 0666, 0601, 0610, 0777}) {
            const auto path = private_file(dir, "hush", mode);
            const auto got = read_secret_file(path);
            REQUIRE(got.has_error());
            CHECK(got.error().message.find(path.string()) != std::string::npos);
            CHECK(got.error().message.find("hush") == std::string::npos);
            CHECK(got.error().hint.find("chmod 600") != std::string::npos);
        }
    }

    TEST_CASE("read_secret_file: a systemd credential may be readable by its group") {
        const test::temp_dir dir;
        const auto path = private_file(dir, "credential", 0440);
        CHECK(read_secret_file(path).has_error());
        ::setenv("CREDENTIALS_DIRECTORY", dir.path().c_str(), 1);
        CHECK(read_secret_file(path).value().reveal() == "credential");
        REQUIRE(::chmod(path.c_str(), 0444) == 0);
        CHECK(read_secret_file(path).has_error());
        ::unsetenv("CREDENTIALS_DIRECTORY");
    }

    TEST_CASE("read_secret_file: refuses links, folders, pipes, empty, large and missing files") {
        const test::temp_dir dir;
        const auto path = private_file(dir, "hush");
        const auto link = dir.path() / "link";
        std::filesystem::create_symlink(path, link);
        CHECK(read_secret_file(link).error().message.find("symbolic link") != std::string::npos);
        CHECK(read_secret_file(dir.path()).has_error());
        const auto pipe = dir.path() / "pipe";
        REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        CHECK(read_secret_file(pipe).has_error());
        CHECK(read_secret_file(private_file(dir, "\n")).has_error());
        CHECK(read_secret_file(private_file(dir, std::string(70'000, 'x'))).has_error());
        CHECK(read_secret_file(dir.path() / "missing").has_error());
    }

    TEST_CASE("secret: copies are independent and a moved one is empty") {
        secret one{"first"};
        secret two = one;
        const secret three = std::move(one);
        two = secret{"second"};
        CHECK(three.reveal() == "first");
        CHECK(two.reveal() == "second");
        CHECK(one.empty());  // NOLINT(bugprone-use-after-move): documented
    }
}
