"""Every rule must fire on what it forbids and stay silent on what it allows."""

import pathlib
import tempfile

import source_tree

LISTED = {"libqueue/CMakeLists.txt": "a.cpp\n", "tests/CMakeLists.txt": "a.cpp\n"}

# path, content, part of the expected message (None: clean)
SAMPLES = [
    ("libqueue/src/core/a.cpp", '#include "pg/b.hpp"\n', "arrows point down"),
    ("libqueue/src/engine/a.cpp", '#include "pg/b.hpp"\n', None),
    ("libqueue/src/core/a.cpp", "#include <boost/asio/io_context.hpp>\n", "core is pure"),
    ("libqueue/src/engine/a.cpp", "#include <libpq-fe.h>\n", "pg layer alone"),
    ("libqueue/src/pg/a.cpp", "#include <libpq-fe.h>\n", None),
    ("libqueue/src/engine/a.cpp", "#include <spdlog/spdlog.h>\n", "observer"),
    ("libqueue/include/libqueue/a.hpp", "#pragma once\n#include <fmt/core.h>\n", "fmt"),
    ("processors/email/a.hpp", '#pragma once\n#include "processors/webhook/b.hpp"\n', "include"),
    ("processors/email/a.hpp", '#pragma once\n#include "processors/support/b.hpp"\n', None),
    ("workerd/qctl/a.hpp", '#pragma once\n#include "engine/b.hpp"\n', "public headers only"),
    ("libqueue/src/pg/a.cpp", "// " + "x" * 98 + "\n", "101 columns"),
    ("libqueue/src/pg/a.cpp", "int a;\n" * 601, "601 lines"),
    ("tests/unit/a.cpp", "int a;\n" * 601, None),
    ("libqueue/src/pg/a.cpp", "void f() {\n" + "    g();\n" * 69 + "}\n", "function of 71 lines"),
    ("libqueue/src/pg/a.cpp", "void f() {\n" + "    g();\n" * 68 + "}\n", None),
    ("libqueue/src/pg/a.cpp", "a::a()\n : b{1} {\n" + "    g();\n" * 69 + "}\n", "of 72 lines"),
    ("libqueue/src/pg/a.cpp", "class a {\n" + "    int b;\n" * 99 + "};\n", None),
    ("libqueue/src/pg/a.cpp", "class a {\n int f() {\n" + " g();\n" * 70 + " }\n};\n", "72 lines"),
    ("libqueue/src/pg/a.cpp", "auto a = asio::detached;\n", "detached"),
    ("libqueue/src/pg/a.cpp", "// never detached\n", None),
    ("libqueue/src/pg/a.cpp", "asio::co_spawn(io, f(), g);\n", "task_group only"),
    ("tests/unit/a.cpp", "std::this_thread::sleep_for(time);\n", "flaky"),
    ("libqueue/src/engine/a.cpp", 'auto a = "SELECT 1";\n', "sql/queries"),
    ("libqueue/src/engine/a.cpp", 'auto a = R"(\nDELETE FROM x)";\n', None),  # not at the quote
    ("tests/unit/a.cpp", 'auto a = "SELECT 1";\n', None),
    ("libqueue/src/pg/a.cpp", "using namespace std;\n", "collide"),
    ("libqueue/src/pg/a.cpp", "// TODO later\n", "issue tracker"),
    ("libqueue/src/pg/a.cpp", "auto a = co_await f({1, 2});\n", "aggregate temporary"),
    ("libqueue/src/pg/a.cpp", "co_await f([this] { g(); });\n", "capturing lambda"),
    ("libqueue/src/pg/a.cpp", "auto a = co_await f(b[1]);\n", None),
    ("libqueue/src/pg/a.cpp", "int a = 1'000; char b = '\"'; // it's\nint c;\n", None),
    ("libqueue/src/pg/a.hpp", "int a;\n", "#pragma once"),
    ("libqueue/src/pg/lost.cpp", "int a;\n", "lists this source"),
    ("sql/queries/a.sql", "SELECT 1;\n", "begins with a comment"),
    ("sql/queries/a.sql", "-- What. Index: none. Locks: none.\nSELECT $1::int;\n", "explain $1"),
    ("sql/queries/a.sql", "-- What.\n-- Index: none. Locks: none.\nselect 1;\n", "write SELECT"),
    ("sql/queries/a.sql", "-- What.\n-- Index: none. Locks: none.\nSELECT 1;\n", "no source uses"),
    ("sql/migrations/0001_create_a.sql", "-- hello\nSELECT 1;\n", "breaking"),
    ("sql/migrations/0001_create_a.sql", "-- breaking: no\nSELECT 1;\n", None),
    ("docs/a.md", "[x](missing.md)\n", "leads nowhere"),
    ("docs/a.md", "[x](../libqueue/CMakeLists.txt) [y](https://example.test)\n", None),
]


def run(problems):
    failed = 0
    for path, content, expected in SAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**LISTED, path: content}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            found = list(problems(source_tree.load(root)))
        right = any(expected in line for line in found) if expected else not found
        if not right:
            failed += 1
            print(f"{path}: {content[:60]!r}\n  expected {expected!r}, got {found}")
    print(f"tidy self-test: {len(SAMPLES)} samples, {failed} failed")
    return 1 if failed else 0
